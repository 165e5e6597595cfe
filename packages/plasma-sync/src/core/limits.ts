// Owns: every bound in Plasma, each with its reason. No other file states a number that bounds input, queue, batch or retry.
// Import it as a namespace (`import * as limits`): bundles then hold only the bounds that they use.

/** Bytes of one mutation's args as encoded JSON: a push of one mutation always fits `maxPayloadBytes`. */
export const mutationArgsBytesMax = 512 * 1024;
/** Bytes of one row in its logged JSON form: before + after fit a 2 MB cell of D1 and Durable Objects. */
export const rowBytesMax = 900_000;
/** Bytes of a `like` pattern: D1 refuses longer ones. */
export const likePatternBytesMax = 50;
/** Mutations in one push unless the server says otherwise. */
export const pushMutationsMax = 200;
/** Bytes of one push body unless the server says otherwise. */
export const pushBytesMax = 1_048_576;
/** Smallest `maxPayloadBytes` a server may set: one mutation of the largest size plus its envelope fits. */
export const pushBytesMaxMin = 640 * 1024;
/** Rows scanned for one page of a pull when the client names no limit. */
export const pullPageSizeDefault = 1000;
/** Most rows scanned for one page of a pull, whatever the client asks. */
export const pullPageSizeMax = 5000;
/** Bytes of stored rows or log images after which a page of a pull ends: a Worker has 128 MB, for several requests at once. */
export const pullPageBytesMax = 4_000_000;
/** Tables that one page of a first sync reads: a free-plan Worker may make 50 queries per request. */
export const firstSyncReadsMax = 16;
/** Milliseconds that a client's timestamp may be ahead of the server's clock before it is clamped. */
export const clockSkewMsMax = 5 * 60_000;
/** Characters of an id (client, group, replica, row) from outside: a UUID is 36; room for people's own schemes. */
export const idCharsMax = 200;
/** Characters of a mutator's or table's name from outside. */
export const nameCharsMax = 200;
/** Characters of a cookie: one decimal per region and a few keys. */
export const cookieCharsMax = 4096;
/** Depth of JSON nesting from outside: deeper input could exhaust the stack of a recursive walk. */
export const jsonDepthMax = 64;
/** Rows whose unique values one look-up checks: bounds the width of its condition. */
export const uniqueRowsPerLookup = 200;
/** Bound parameters in one statement: D1 and Durable Objects refuse more. */
export const sqlParamsMax = 100;
/** Bound parameters in one statement of Postgres: its protocol counts them in 16 bits. */
export const postgresParamsMax = 65_535;
/** Values of a list that Postgres compares one by one, if it finds no index: some microseconds per row of the table. */
export const postgresArrayItemsMax = 1000;
/** Columns in one result: D1 refuses more. */
export const sqlResultColumnsMax = 100;
/** Bytes of a name in SQL: Postgres cuts longer ones. */
export const sqlNameBytesMax = 63;
/**
 * Milliseconds that a write on Postgres waits for another's locks, the log's order above all: hundreds of pushes go by in
 * that time, and the client, who waits for a minute, still gets an answer.
 */
export const postgresLockWaitMsMax = 10_000;
/** Milliseconds that a push may have its transaction open and run nothing: its mutators wait for the database alone. */
export const postgresIdleMsMax = 10_000;
/** Pushes of one process that wait for their turn: more would wait longer than their clients do. */
export const postgresPushesWaitingMax = 1000;
/** Prepared statements that one SQLite connection keeps: an app's statements are few; the bound is for generated ones. */
export const sqlPreparedStatementsMax = 500;
/** Bytes of one JSON parameter that carries an array: half of D1's 2 MB cell. */
export const sqlJsonParamBytesMax = 1_000_000;
/** Arguments pairs in one `json_object` call: D1 documents 32 arguments. */
export const sqlJsonObjectColumnsMax = 16;
/** Statements in one D1 batch: 1000 queries per invocation on the paid plan, with room for the reads of a push. */
export const sqlBatchStatementsMax = 900;
/** Times that a push whose guard failed is run again before it answers 503. */
export const pushGuardRetriesMax = 8;
/** Milliseconds that rejections are kept so that a client whose answer was lost still learns of them. */
export const rejectionKeepMs = 30 * 86_400_000;
/** Log entries that one commit of a compaction covers: some milliseconds, in which the database takes no other writer. */
export const compactionEntriesMax = 2000;
/** Times that a commit of a compaction which met another writer is tried again: the writer is done in milliseconds. */
export const compactionRetriesMax = 8;
/** Milliseconds that outcomes of idle clients are kept. */
export const outcomeKeepMs = 90 * 86_400_000;
/** Characters of a rejection's message that travel to the client. */
export const errorMessageCharsMax = 2000;
/** Rows of a commit that other tabs are told whole whether or not any has been heard: cloning them takes less than a millisecond. */
export const tabCommitRowsMax = 100;
/** Milliseconds that a tab waits for a missing commit of another tab before it reads from disk. */
export const commitGapWaitMs = 100;
/** Before a tab reads its disk again that could not be read: each try reads all of it. */
export const diskRetryMs = 1_000;
/** Milliseconds between two questions of a tab to the leading one: what a person hardly waits, and no load for anybody. */
export const leaderPingMs = 2_000;
/**
 * Questions in a row without an answer after which a visible tab takes over: 6 s, longer than a page is blocked by its own work
 * or wakes later than another from sleep.
 */
export const leaderMissesMax = 3;
/** The same for a hidden tab: a visible one comes first. */
export const leaderMissesHiddenMax = 6;
/** Milliseconds that the leading tab is hidden before it hands over: who only looks at another tab costs no change of leader. */
export const leaderHiddenMs = 10_000;
/** Milliseconds that an offer to lead stands: the tab that it is made to answers within a few, or not at all. */
export const leaderYieldMs = 3_000;
/**
 * Milliseconds for which the leading tab takes its reign for granted before it asks the disk again: short against those after
 * which another tab may depose it, long enough that pushes in a row do not each wait for a read.
 */
export const reignCheckMs = 1_000;
/** Milliseconds that a tab waits for the leading tab to end a push or pull: a slow network's worth, then the caller goes on. */
export const leaderAnswerMs = 15_000;
/** Milliseconds until a request without an answer counts as failed: a slow page of a first sync takes less. */
export const requestMsMax = 60_000;
/** Times in a row that a push gap or a refused cookie is put right at once: one is normal, more means that it does not help. */
export const syncMendsMax = 3;
/** Longest Retry-After that a client honours: an hour, so that a wrong header does not end syncing. */
export const retryAfterMsMax = 3_600_000;
/** Refusals that a replica keeps: more than one tab makes while it misses a commit, and each is a message long. */
export const refusalsKeptMax = 100;
/** Files that one client uploads at once: enough to fill a line, few enough that each gets somewhere on a slow one. */
export const uploadsMax = 4;
/** Bytes per second below which an upload whose progress cannot be seen counts as stuck: a weak mobile line does more. */
export const uploadBytesPerSecondMin = 16 * 1024;
/** Files that one tab downloads at once: what browsers send to one host over HTTP/1. */
export const downloadsMax = 6;
/** Waits between attempts to get a file that somebody looks at: as a person would press reload. */
export const downloadRetry = { initialDelayMs: 2_000, maxDelayMs: 60_000 };
/** Milliseconds without a word of another tab's upload after which it counts as over: half of what a stuck request gets. */
export const fileSilenceMs = 30_000;
/** Milliseconds between pushes of mutations whose files have come up: a hundred small files are some pushes, not a hundred. */
export const uploadPushMs = 100;
/** Milliseconds between two words of one file's progress to other tabs: as often as an eye sees a bar move. */
export const fileProgressMs = 100;
/** Milliseconds that a file counts as known to the server: far less than the days for which it keeps what nothing refers to. */
export const uploadKnownMs = 12 * 3_600_000;
/** Outbox entries in one store transaction: keeps the wait of the first entry short. */
export const outboxBatchEntriesMax = 1000;
/** Milliseconds that opening the local database waits for a tab which keeps an older version of it open. */
export const storeBlockedMsMax = 10_000;
/** Between tries to open a local database that cannot be opened: what is in the way goes in seconds (a tab), or not soon. */
export const openRetry = { initialDelayMs: 1_000, maxDelayMs: 30_000 };
/** Milliseconds that a page's first write waits for a new log at most; it takes 10 to 30. */
export const logRenewMsMax = 1_000;
/** Rows in one IndexedDB read or write request batch. */
export const storeBatchRowsMax = 5000;
/** Records in one read of an export: some MB even where each is a page of rows. */
export const exportBatchRecords = 64;
/** Characters of an export that are kept as text before they become a Blob: few Blobs, and little memory. */
export const exportChunkChars = 1_000_000;
/** Milliseconds until tables are read whole that nobody waits for: the first windows of a page come before. */
export const streamDelayMs = 30;
/** Milliseconds that such reading pauses when somebody waits for other rows: some reads of a row by id, so that one shows whether there are more. */
export const streamPauseMs = 5;
/** Pauses in a row after which it goes on: an app that never stops reading has all rows in memory in the end. */
export const streamPausesMax = 20;
/** Rows fetched for one query before its table is in memory: some ms of reading; for more it waits for all rows. */
export const earlyRowsMax = 1024;
/** Bytes of rows in a page of the local database: Chromium keeps values above 64 KiB in files of their own, and a row by id then costs four times as much (docs/storage-layout.md). */
export const storePageBytes = 56 * 1024;
/** Rows in a page, however small: whoever wants one of them reads them all. */
export const storePageRowsMax = 128;
/** Keys in a page of an index: they are read as a range. */
export const storePageKeys = 512;
/** Rows looked at to guess how many fit into a page. */
export const storeSampleRows = 16;
/** Rows of one table in one commit, behind all others, that go to pages at once: fewer would make pages too small. */
export const storeBulkRowsMin = 64;
/** Changes in one record of the journal: what is cloned and written in one go. */
export const storeJournalRecordRows = 256;
/** Changes in the journal after which they are folded into pages: reading so many when the app opens costs a few milliseconds. */
export const storeFoldRowsMin = 512;
/** Changes in the journal after which a page of a pull waits for the fold: so the app opens fast even after a kill in the middle. */
export const storeJournalRowsMax = 16_384;
/** Milliseconds of rest after a commit until a fold begins: what comes in bursts is folded once. */
export const storeFoldDelayMs = 300;
/** Pages that one transaction of a fold rewrites: 5 to 10 ms in which a mutation waits. */
export const storeFoldPagesMax = 4;
/** Pages that one transaction reads to index them: as many as take about as long as rewriting the number above. */
export const storeIndexPagesMax = 16;
/** Rows or keys that one transaction of a fold brings in: with the bound above, for where there are no pages yet. */
export const storeFoldItemsMax = 2048;
/** Rows of an older format that one transaction moves into pages. */
export const storeLegacyRows = 512;
/** Keys that are brought into an index at once when it is made: fewer would rewrite its pages more often, more take memory. */
export const storeIndexKeysMax = 131_072;
/** Rows in one step of reading a whole table: some pages, so that a step is some milliseconds. */
export const storeStreamRows = 512;
/** Keys of an index that one window may look at: more rows that share a value are as cheaply read with the whole table. */
export const storeWindowKeysMax = 4096;
/** Bytes of a request's line and headers on Node: a pull carries a cookie of 4096 characters, apps add tokens. */
export const httpHeaderBytesMax = 32 * 1024;
/** Milliseconds until a connection has sent its headers: slow networks take a few seconds, attackers for ever. */
export const httpHeadersMsMax = 15_000;
/** Milliseconds until a whole request has arrived: what a client waits before it gives up (`requestMsMax`). */
export const httpRequestMsMax = 60_000;
/** Milliseconds until a whole file has arrived: the largest one, at 150 kB/s. The bound on silence holds all the same. */
export const httpUploadMsMax = 3_600_000;
/** Milliseconds between looks for connections that exceed the two bounds above. */
export const httpCheckMs = 5_000;
/** Milliseconds that an idle connection stays open: longer than the 60 s of common load balancers, which must close first. */
export const httpKeepAliveMs = 65_000;
/** Milliseconds without a byte in either direction until a connection is cut: twice the time of a whole request. */
export const httpSilenceMsMax = 120_000;
/** Milliseconds that a sender whose body is no longer wanted has to read the answer. */
export const httpLingerMs = 2_000;
/** Milliseconds that requests under way have to end when the server closes: less than the 10 s after which Docker kills. */
export const shutdownMsMax = 8_000;
/** Milliseconds within which the database answers a health check: load balancers wait 5 s and more. */
export const healthMsMax = 2_000;
/** Bytes of what a member of a room says of itself, as JSON: a name, a colour, a place and a selection. */
export const userInfoBytesMax = 2_048;
/** Bytes of a frame that a client may send: a cookie of the largest size and a userInfo, both escaped. */
export const socketFrameBytesMax = 16 * 1024;
/** Frames per second that one socket may send for long: cursors come at 20 Hz, cookies beside them. */
export const socketFramesPerSecondMax = 50;
/** Frames that it may send at once after a silence: what a frozen tab sends when it wakes. */
export const socketFramesBurstMax = 200;
/** Frames as which a hello counts: it is answered by the list of all members. */
export const socketHelloFrames = 10;
/** Bytes that may wait in the server for a slow socket, where the platform tells: seconds of a busy room. */
export const socketBufferBytesMax = 4 * 1024 * 1024;
/** Sockets of one hub or object: Cloudflare holds 32,768 per object; a process has memory for more than its CPU serves. */
export const hubSocketsMax = 20_000;
/** Milliseconds until a socket is open, its token included: what a person waits before they think it broken. */
export const socketOpenMsMax = 10_000;
/** Milliseconds between pings of an open socket: routers forget connections that are silent for 60 s, some for 30. */
export const socketPingMs = 25_000;
/** Milliseconds until a ping without an answer means that the connection is dead: a slow mobile network answers in 3. */
export const socketPongMsMax = 10_000;
/** Bytes that may wait in a socket to be sent, beyond which newer presence waits: it will replace what waits. */
export const socketUnsentBytesMax = 64 * 1024;
/** Waits in milliseconds before a room that is closed to us is tried again: a person who was just let in waits seconds, a tab left open asks 12 times an hour. */
export const roomRetry = { initialDelayMs: 4000, maxDelayMs: 300_000 };
/** Milliseconds that members of a room are shown when the connection to it is gone: a reconnect takes less. */
export const presenceStaleMs = 30_000;
/** Milliseconds after which what loads with the first socket is asked for again when that failed. */
export const socketLoadRetryMs = 10_000;
/** Milliseconds after which a socket that sent nothing, not even a ping, counts as dead: clients ping every 30 s or less. */
export const socketSilenceMsMax = 95_000;
/** Milliseconds between looks for dead sockets: a third of the time after which they count as dead. */
export const socketSweepMs = 30_000;
/** Sockets for which `auth` is asked again at one time: what a database or an identity provider takes from one process. */
export const socketRenewalsMax = 20;
/** Rooms that one push pokes: with a SyncCoordinator each is a request of its own, of which a free-plan Worker has 50. */
export const pokeRoomsMax = 32;
/** Milliseconds from announcing a socket to a SyncCoordinator until it comes: one round trip in Cloudflare's network. */
export const socketTicketMsMax = 10_000;
/** Milliseconds that the other end has to answer a close before the connection is cut: less than a server has to shut down. */
export const socketCloseMsMax = 5_000;
/** Milliseconds until a database that could not be asked for notices of commits is asked again. */
export const commitWatchRetryMs = 5_000;
/** Milliseconds that what `auth` said of a socket is good for patches (SPEC: 60 s). */
export const socketCtxMsMax = 60_000;
/** Milliseconds that it is good for pokes and presence; then `auth` is asked again, or the client is asked to come again. */
export const socketAuthMsMax = 5 * 60_000;
/** Milliseconds between changes of presence that a room is told: 20 Hz, above which eyes see no cursor move better. */
export const presenceTickMs = 50;
/** Bytes per second of presence that a room sends to all its members; a large and busy room is told less often. */
export const presenceBytesPerSecondMax = 16 * 1024 * 1024;
/** Milliseconds that a member stays in the room when its socket broke: a reconnect takes less, and nobody flickers. */
export const presenceGraceMs = 5_000;
/** Entries of the change log that are kept in memory for pokes: what a busy room changes between two pulls of a client. */
export const logTailEntriesMax = 500;
/** Bytes of their images: more is cheaper to read again than to keep. */
export const logTailBytesMax = 1_000_000;
/** Log entries, and moved rows, that one poke's patch covers: more is a page, and pages are pulled. */
export const pokeEntriesMax = 200;
/** Characters of a poke that carries a patch: beyond it waits too long in front of the next frames of a slow network. */
export const pokePatchCharsMax = 64 * 1024;
/** Times that one round of pokes asks the database for the rows that a rule moved: some 100 ms, then the rest pull. */
export const pokeAsksMax = 64;
/** Plain pokes to a crowd at once: each is a pull, and a process answers some hundred a second beside its other work. */
export const pacedPokesMax = 20;
/** Milliseconds between them. */
export const pacedPokesMs = 50;
/** Listeners that are told before other requests have their turn: a millisecond, or five where rules look into other tables. */
export const pokesPerTurnMax = 25;
/** Milliseconds between polls of a live select on the server, unless the app says otherwise. */
export const serverLivePollMs = 1_000;
/** Longest wait between polls of a live select on the server while its database fails. */
export const serverLiveBackoffMsMax = 30_000;
/** Keys in one page of a BlobStore's list and in one call of R2's delete: R2 takes and gives no more. */
export const blobListKeysMax = 1000;
/** Bytes read from a disk or memory at a time: large enough to cost few calls, small beside the memory of a slow reader. */
export const blobReadBytes = 64 * 1024;
/**
 * Bytes of one file that a server takes in unless it says otherwise: some minutes of a phone's video. It costs no memory;
 * Cloudflare itself takes requests of 100 MB on most plans.
 */
export const blobBytesMax = 512 * 1024 * 1024;
/** Bytes of an upload that does not say how long it is: it is held in memory. */
export const blobUnsizedBytesMax = 8 * 1024 * 1024;
/** Uploads under way in one process: each holds a connection and some chunks of 64 KiB. */
export const blobUploadsMax = 256;
/** Of one group: several tabs and devices with a few uploads each; one person cannot take all. */
export const blobUploadsPerGroupMax = 24;
/** Seconds after which somebody who has too many uploads under way may ask again. */
export const blobUploadRetrySeconds = 2;
/** Milliseconds after which an upload that did not end is taken for broken off: no network takes a day for one file. */
export const blobUploadMsMax = 86_400_000;
/** Milliseconds that a blob stays to which nothing refers: a device may sleep for days between an upload and its push. */
export const blobGraceMs = 7 * 86_400_000;
/** Blobs that one step of a collection looks at: some milliseconds, in which the database takes no other writer. */
export const blobCollectionMax = 2000;
/** Times that a commit about a blob which met another writer is tried again: the writer is done in milliseconds. */
export const blobCommitRetriesMax = 8;
/** Refs to one blob of which the rows are asked for a reader, unless the server says otherwise. */
export const blobRefsMax = 100;
/** Rows read for it at a time: with rows of the largest size they still fit a Worker's memory. */
export const blobRefsPerLookup = 25;
/** Seconds that a browser may show a file again without asking: rights that were taken away end after them. */
export const blobMaxAgeSeconds = 3600;
/** Virtual milliseconds that a test waits for what it awaits: ten times the longest wait between a client's attempts. */
export const testWaitMsMax = 300_000;
/** Turns of the real event loop that a test waits in a world where nothing will happen: a few hundredths of a second. */
export const testIdleTurnsMax = 10_000;
/** Characters of answers of the server that a test's world keeps for `expectNeverTold`: more is no test of one rule. */
export const testToldCharsMax = 32 * 1024 * 1024;
/** Lines of a test's trace that are kept: what led to a failure stands in the last few hundred. */
export const testTraceLinesMax = 2_000;
/** Lines of it in the message of a failure: a screen. */
export const testTraceShownLinesMax = 30;
/** Bytes of one stored chunk of a file in the browser: Chromium refuses values near 127 MiB; 512 KiB to 4 MiB are equally fast. */
export const blobChunkBytes = 1024 * 1024;
/** Before a started write of a file's bytes that has stood still counts as abandoned: a frozen tab may still go on for long. */
export const blobWriteStaleMs = 3_600_000;
/** Before bytes that were never uploaded and that nothing refers to go: a mutation is durable seconds after its bytes are. */
export const blobOrphanMs = 86_400_000;
/** How much later a use is noted than the last noted one: reading a file writes at most so often. */
export const blobUsedStepMs = 3_600_000;
/** Bytes of uploaded and downloaded files that the device keeps, unless the app says otherwise: some hundred photos. */
export const blobCacheBytesDefault = 512 * 1024 * 1024;
/** Bytes of a file that may ride inside a FileRef: several of them, as base64, fit one mutation's args and one row. */
export const fileInlineBytesMax = 64 * 1024;
/** Characters of a file's name: what common file systems allow. */
export const fileNameCharsMax = 255;
/** Bytes of one piece of a file that the page itself hashes, having no worker: some milliseconds on a phone, then it draws. */
export const fileReadBytes = 256 * 1024;
/** Bytes up to which a file is hashed in one go, off the page's thread, by the platform: it must be in memory for that. */
export const fileDigestBytesMax = 8 * 1024 * 1024;
/** Pieces of a file that wait for the hashing worker: one that it hashes, one that it finds when it is done. */
export const hashPiecesAheadMax = 2;
/** Files that are read, hashed and stored at once: more would not be faster, and each holds some chunks in memory. */
export const filesTakenInMax = 2;
/** Milliseconds after a file was stored until the cache is looked through: one look for a hundred dropped photos. */
export const blobEvictDelayMs = 5_000;
