// Owns: what the server tells its operator: errors by kind, and one metric per request. Neither ever reaches a client.

export type SyncServerErrorKind =
  /** A mutation was refused. Its outcome is recorded and the client learns of it. */
  | "mutation-error"
  /** A hook of the app (onPushed, onMutation, onMetric, waitUntil) threw, after the commit. */
  | "onPushed-failed"
  | "protocol-mismatch"
  | "schema-mismatch"
  | "unauthorized"
  | "invalid-request"
  /** An upload or a request for a file that cannot be: hash, size, type, range; or its bytes did not all arrive. */
  | "blob-invalid-request"
  /** There is no such file, the caller may not read it, or its bytes are gone from the store. */
  | "blob-not-found"
  /** More rows than `readAuthMaxRefs` refer to a file; the first ones did not show it to the caller, so it was refused. */
  | "blob-read-auth-cap-hit"
  | "blob-hash-mismatch"
  /** The blob store failed: the client was answered 503 and tries again. */
  | "blob-upload-failed-server"
  /** The database, or code around it, failed: the client was answered 503 and tries again. */
  | "database";

export interface SyncServerError {
  readonly kind: SyncServerErrorKind;
  readonly message: string;
  /** The PlasmaError code that the client was told. */
  readonly code?: string;
  /** The status of the answer; absent where the request succeeded all the same. */
  readonly status?: number;
  readonly clientGroupID?: string;
  /** With `mutation-error`. */
  readonly mutation?: { readonly clientID: string; readonly id: number; readonly name: string };
  readonly cause?: unknown;
}

interface RequestMetric {
  readonly latencyMs: number;
  readonly ok: boolean;
  readonly status: number;
}

/** One answered request. Counters are 0 where the request failed before it came to them. */
export type PlasmaMetric =
  | (RequestMetric & {
      readonly type: "push";
      readonly applied: number;
      readonly rejected: number;
      readonly duplicates: number;
      /** Times that a concurrent change made the push run again. */
      readonly guardConflicts: number;
    })
  | (RequestMetric & {
      readonly type: "pull";
      readonly puts: number;
      readonly dels: number;
      /** Table rows and log entries read for the page. */
      readonly rowsScanned: number;
      readonly resync: boolean;
    })
  | (RequestMetric & {
      readonly type: "blob-put" | "blob-get";
      /** Of the upload, or of the part that was asked for; 0 for HEAD. */
      readonly sizeBytes: number;
    });
