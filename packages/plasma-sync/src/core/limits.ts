// Owns: every bound in Plasma, each with its reason. No other file states a number that bounds input, queue, batch or retry.

export const limits = {
  /** Bytes of one mutation's args as encoded JSON: a push of one mutation always fits `maxPayloadBytes`. */
  mutationArgsBytesMax: 512 * 1024,
  /** Bytes of one row in its logged JSON form: before + after fit a 2 MB cell of D1 and Durable Objects. */
  rowBytesMax: 900_000,
  /** Bytes of a `like` pattern: D1 refuses longer ones. */
  likePatternBytesMax: 50,
  /** Mutations in one push unless the server says otherwise. */
  pushMutationsMax: 200,
  /** Bytes of one push body unless the server says otherwise. */
  pushBytesMax: 1_048_576,
  /** Smallest `maxPayloadBytes` a server may set: one mutation of the largest size plus its envelope fits. */
  pushBytesMaxMin: 640 * 1024,
  /** Rows scanned for one page of a pull when the client names no limit. */
  pullPageSizeDefault: 1000,
  /** Most rows scanned for one page of a pull, whatever the client asks. */
  pullPageSizeMax: 5000,
  /** Tables that one page of a first sync reads: a free-plan Worker may make 50 queries per request. */
  firstSyncReadsMax: 16,
  /** Milliseconds that a client's timestamp may be ahead of the server's clock before it is clamped. */
  clockSkewMsMax: 5 * 60_000,
  /** Characters of an id (client, group, replica, row) from outside: a UUID is 36; room for people's own schemes. */
  idCharsMax: 200,
  /** Characters of a mutator's or table's name from outside. */
  nameCharsMax: 200,
  /** Characters of a cookie: one decimal per region and a few keys. */
  cookieCharsMax: 4096,
  /** Depth of JSON nesting from outside: deeper input could exhaust the stack of a recursive walk. */
  jsonDepthMax: 64,
  /** Rows whose unique values one look-up checks: bounds the width of its condition. */
  uniqueRowsPerLookup: 200,
  /** Bound parameters in one statement: D1 and Durable Objects refuse more. */
  sqlParamsMax: 100,
  /** Columns in one result: D1 refuses more. */
  sqlResultColumnsMax: 100,
  /** Prepared statements that one SQLite connection keeps: an app's statements are few; the bound is for generated ones. */
  sqlPreparedStatementsMax: 500,
  /** Terms in one compound select: D1 refuses more. */
  sqlCompoundTermsMax: 5,
  /** Bytes of one JSON parameter that carries an array: half of D1's 2 MB cell. */
  sqlJsonParamBytesMax: 1_000_000,
  /** Arguments pairs in one `json_object` call: D1 documents 32 arguments. */
  sqlJsonObjectColumnsMax: 16,
  /** Statements in one D1 batch: 1000 queries per invocation on the paid plan, with room for the reads of a push. */
  sqlBatchStatementsMax: 900,
  /** Times that a push whose guard failed is run again before it answers 503. */
  pushGuardRetriesMax: 8,
  /** Milliseconds that rejections are kept so that a client whose answer was lost still learns of them. */
  rejectionKeepMs: 30 * 86_400_000,
  /** Milliseconds that outcomes of idle clients are kept. */
  outcomeKeepMs: 90 * 86_400_000,
  /** Characters of a rejection's message that travel to the client. */
  errorMessageCharsMax: 2000,
  /** Milliseconds that a tab waits for a missing commit of another tab before it reads from disk. */
  commitGapWaitMs: 100,
  /** Milliseconds that a tab waits for the leading tab to end a push or pull: a slow network's worth, then the caller goes on. */
  leaderAnswerMs: 15_000,
  /** Milliseconds until a request without an answer counts as failed: a slow page of a first sync takes less. */
  requestMsMax: 60_000,
  /** Times in a row that a push gap or a refused cookie is put right at once: one is normal, more means that it does not help. */
  syncMendsMax: 3,
  /** Longest Retry-After that a client honours: an hour, so that a wrong header does not end syncing. */
  retryAfterMsMax: 3_600_000,
  /** Outbox entries in one store transaction: keeps the wait of the first entry short. */
  outboxBatchEntriesMax: 1000,
  /** Milliseconds that opening the local database waits for a tab which keeps an older version of it open. */
  storeBlockedMsMax: 10_000,
  /** Rows in one IndexedDB read or write request batch. */
  storeBatchRowsMax: 5000,
} as const;
