// Owns: the seam between Plasma's server and a database engine. One file per engine implements it; sql-executor.suite.ts
// holds them all to it.
// Invariants:
//   1. Values never stand in `text`: they are bound as `params`.
//   2. No statement of anyone else runs between those of a `batch` or inside a `transaction` (reads included: on one
//      SQLite connection an open transaction would show its uncommitted rows to them).
//   3. Every error leaves through `classify`: an unknown one is "retry", never a rejection of the app's mutation.

/** A value that every engine binds: bigint and boolean are converted by the SQL layer before. */
export type SqlParam = string | number | null | Uint8Array;
export type SqlRow = { readonly [column: string]: unknown };
export type DialectName = "sqlite" | "postgres";

export interface SqlStatement {
  readonly text: string;
  readonly params: readonly SqlParam[];
}

/**
 * What an engine's error means. `unique`, `not-null`, `data`: the statement's own fault, the mutation is rejected.
 * `conflict`: a concurrent transaction won; run again. `retry`: busy, connection, quota, runtime, unknown; answer 503.
 */
export type SqlErrorClass = "unique" | "not-null" | "data" | "conflict" | "retry";

/** What can run inside `transaction`. */
export interface SqlConnection {
  /** The rows of one statement. */
  all(statement: SqlStatement): Promise<readonly SqlRow[]>;
  /** Runs one statement for its effect. */
  run(statement: SqlStatement): Promise<void>;
}

export interface SqlExecutor extends SqlConnection {
  readonly dialect: DialectName;
  /** Whether `transaction` exists; where not (D1, Durable Objects), writes are buffered and committed by `batch`. */
  readonly interactive: boolean;
  /** Statements after which a push stops taking further mutations: what the engine allows per request, less a margin. */
  readonly pushStatementsMax: number;
  /** Runs the statements in order, all or none, and returns each one's rows: also the way to read a consistent snapshot. */
  batch(statements: readonly SqlStatement[]): Promise<readonly (readonly SqlRow[])[]>;
  /** Runs `fn` in one serializable transaction; a throw rolls back and is rethrown. Only where `interactive`. */
  transaction<T>(fn: (connection: SqlConnection) => Promise<T>): Promise<T>;
  /** What `error`, thrown by this engine, means. */
  classify(error: unknown): SqlErrorClass;
  /**
   * Calls `onCommit` after each commit that wrote synced tables, whoever made it, and whenever some may have been missed.
   * Resolves to what ends it. Only where the engine tells of them.
   */
  watchCommits?(onCommit: () => void): Promise<() => void>;
}
