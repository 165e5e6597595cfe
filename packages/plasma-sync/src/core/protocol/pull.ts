// Owns: the shapes of a pull and its answer (SPEC "Sync protocol"), and their parsers.

/** A row on the wire: bigint as decimal string, bytes as padded base64, JSON nested; every column, nulls explicit. */
export type WireRow = { readonly [column: string]: unknown };

export type PatchOp =
  | { readonly op: "put"; readonly table: string; readonly id: string; readonly value: WireRow }
  | { readonly op: "del"; readonly table: string; readonly id: string }
  | { readonly op: "clear" };

export interface PullRequest {
  readonly protocolVersion: number;
  readonly schemaVersion: string;
  readonly clientGroupID: string;
  readonly clientID: string;
  readonly replicaID?: string;
  readonly cookie?: string;
  readonly limit?: number;
}

export interface Rejection {
  readonly clientID: string;
  readonly id: number;
  readonly code: string;
  readonly message: string;
}

export interface PullResponse {
  readonly cookie: string;
  readonly patch: readonly PatchOp[];
  readonly lastMutationIDs: { readonly [clientID: string]: number };
  /** Only this ends the loop: a page may be empty and have more. */
  readonly hasMore?: boolean;
  readonly rejected?: readonly Rejection[];
}
