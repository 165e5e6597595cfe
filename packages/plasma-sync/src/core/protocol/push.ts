// Owns: the shapes of a push and its answer (SPEC "Sync protocol"), and their parsers.

/** One mutation on the wire. `args` are tagged JSON (see tagged-json.ts). */
export interface PushMutation {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
  /** Ms since the epoch at the call. */
  readonly timestamp: number;
  /** Defaults to the body's. */
  readonly clientID?: string;
  /** 32 hex digits from which `newId()` derives. */
  readonly seed?: string;
  /** The pull cookie when it was called. */
  readonly base?: string;
}

export interface PushRequest {
  readonly protocolVersion: number;
  readonly schemaVersion: string;
  readonly clientGroupID: string;
  readonly clientID: string;
  readonly replicaID?: string;
  readonly mutations: readonly PushMutation[];
}

export interface MutationResult {
  readonly clientID: string;
  readonly id: number;
  readonly status: "applied" | "duplicate" | "rejected";
  readonly error?: { readonly code: string; readonly message: string };
}

export interface PushResponse {
  readonly ok: true;
  /** May cover a prefix of the push: the client goes on from there. */
  readonly results: readonly MutationResult[];
  readonly lastMutationIDs: { readonly [clientID: string]: number };
}
