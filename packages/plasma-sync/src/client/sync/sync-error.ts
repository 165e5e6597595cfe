// Owns: SyncClientError, what `onError` and `status.lastError` tell: conditions of the world, as values; and how long they last.

/** What tells that the server, or another tab, has another version of the schema. */
export type SchemaMismatch = Extract<SyncClientError, { readonly kind: "schema-mismatch" }>;

export type SyncClientError =
  | {
      readonly kind: "push-http" | "pull-http";
      readonly status: number;
      readonly url: string;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: "network"; readonly phase: "push" | "pull" | "upload" | "socket"; readonly message: string }
  /** A mutator threw, or is not there any more, when a pending mutation was replayed; the server decides about it. */
  | {
      readonly kind: "rebase-replay";
      readonly clientID: string;
      readonly id: number;
      readonly name: string;
      readonly message: string;
      readonly error: unknown;
    }
  /**
   * The server (phase "push", "pull") has another schema or protocol version, or another tab of this browser (phase "tab")
   * has opened the app with another schema version and this one can save nothing more; `expected` is theirs.
   */
  | {
      readonly kind: "schema-mismatch";
      readonly phase: "push" | "pull" | "tab";
      readonly expected: string;
      readonly message: string;
    }
  /**
   * The server did not take a file. `willRetry`: it will be sent again; else the mutations that wait for it are refused
   * (`mutation-rejected` with code `blob/refused` follows).
   */
  | {
      readonly kind: "blob-upload-failed";
      readonly hash: string;
      readonly message: string;
      readonly willRetry: boolean;
    }
  /** The server refused a mutation: it has left the view. `name` and `args` are those of the call. */
  | {
      readonly kind: "mutation-rejected";
      readonly clientID: string;
      readonly id: number;
      readonly name: string;
      readonly args: unknown;
      readonly code: string;
      readonly message: string;
    }
  /**
   * A socket was refused: the login ("auth/unauthorized"; tried again, with a new token) or the room ("auth/room"; tried
   * again, at most 5 minutes later). Polling goes on.
   */
  | {
      readonly kind: "socket-refused";
      readonly room: string;
      readonly code: "auth/unauthorized" | "auth/room";
      readonly message: string;
    }
  /** The local database failed; what was not durable has been taken back. */
  | { readonly kind: "storage"; readonly message: string; readonly error: unknown };

/** Whether what the error tells of is over once the server answers. */
export const endsWithAnswer = (error: SyncClientError): boolean =>
  ["network", "push-http", "pull-http", "schema-mismatch"].includes(error.kind) ||
  (error.kind === "blob-upload-failed" && error.willRetry);
