// Owns: a transaction on Postgres by the package postgres, safe when its connection is lost.
// `begin` of the package is used and not `reserve`, which does not tell that the connection is gone.
// Invariants:
//   1. After a loss no statement is given to the package: it would run on whatever connection comes next, outside of the
//      transaction, or throw where nobody can catch it. The same holds for the package's own COMMIT and ROLLBACK, so what
//      it waits for then never settles.
//   2. A failed statement that was caught and undone by ROLLBACK TO does not stop the transaction from committing; one
//      that was caught only does.
//   3. `fn` has ended when the transaction has: nothing of it runs beside a second attempt.

import { assert } from "../../core/lib/assert.ts";
import { serverError } from "../server-error.ts";
import { execute, type PostgresAnswer, type PostgresSession } from "./postgres-session.ts";
import type { SqlConnection, SqlStatement } from "./sql-executor.ts";

/** What Plasma uses of the package's `Sql`. */
export interface PostgresSql extends PostgresSession {
  begin(options: string, fn: (session: PostgresSession) => Promise<void>): Promise<unknown>;
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onListen: () => void,
  ): PromiseLike<{ unlisten(): Promise<unknown> }>;
}

/** Runs `fn` in one transaction of `mode`; a throw rolls back and is rethrown. */
export async function inPostgresTransaction<T>(
  sql: PostgresSql,
  mode: string,
  fn: (connection: SqlConnection) => Promise<T>,
): Promise<T> {
  const run = new TransactionRun(fn);
  try {
    await Promise.race([sql.begin(mode, (session) => run.begin(session)), run.loss]);
  } catch (error) {
    // The package also rejects for a failed statement that `fn` has caught.
    if (!run.isCommitted) await run.lose(error);
    if (!run.isCommitted) throw error;
  } finally {
    run.close();
  }
  return run.value as T;
}

class TransactionRun<T> {
  readonly #fn: (connection: SqlConnection) => Promise<T>;
  readonly #loss = Promise.withResolvers<never>();
  #state: "open" | "lost" | "closed" = "open";
  #lossCause: unknown;
  /** The first statement that failed. */
  #failure: { readonly error: unknown } | null = null;
  #body: Promise<void> = Promise.resolve();
  #hasEnded = false;
  isCommitted = false;
  value: T | undefined;

  constructor(fn: (connection: SqlConnection) => Promise<T>) {
    this.#fn = fn;
    this.loss.catch(() => undefined);
  }

  /** Rejects when the connection is lost. */
  get loss(): Promise<never> {
    return this.#loss.promise;
  }

  /** What the package waits for before it ends the transaction. */
  async begin(session: PostgresSession): Promise<void> {
    this.#body = this.#run(session);
    try {
      await this.#body;
    } finally {
      this.#hasEnded = true;
      if (this.#state === "lost") await new Promise<never>(() => undefined);
    }
  }

  /** The package gave up because of `cause`: no further statement runs. Resolves when `fn` has ended. */
  async lose(cause: unknown): Promise<void> {
    this.#setLost(cause);
    await Promise.allSettled([this.#body]);
  }

  close(): void {
    if (this.#state === "open") this.#state = "closed";
  }

  async #run(session: PostgresSession): Promise<void> {
    const all = async (statement: SqlStatement) => (await this.#execute(session, statement)).rows;
    this.value = await this.#fn({ all, run: async (statement) => void (await all(statement)) });
    if (this.#failure === null || this.#state !== "open") return;
    // Without a failure the package commits. After one it rolls back, though the failure may be undone: so the commit is
    // ours, and what is left to roll back is the empty transaction that it chains.
    const { command } = await this.#execute(session, { text: "COMMIT AND CHAIN", params: [] });
    if (command !== "COMMIT") throw this.#failure.error;
    this.isCommitted = true;
  }

  async #execute(session: PostgresSession, statement: SqlStatement): Promise<PostgresAnswer> {
    assert(this.#state !== "closed", "postgres: a transaction is used only while it runs");
    if (this.#state === "lost") throw serverError("server/retry", {}, { cause: this.#lossCause });
    try {
      // Statements that wait in the package's line when the connection goes are never answered.
      return await Promise.race([execute(session, statement), this.loss]);
    } catch (error) {
      if (isConnectionLoss(error)) this.#setLost(error);
      this.#failure ??= { error };
      throw error;
    }
  }

  #setLost(cause: unknown): void {
    if (this.#state !== "open" || this.#hasEnded) return;
    this.#state = "lost";
    this.#lossCause = cause;
    this.#loss.reject(cause);
  }
}

/** What the package throws by itself, with the connection unharmed. */
const LOCAL_CODES = new Set(["UNDEFINED_VALUE", "MAX_PARAMETERS_EXCEEDED", "COPY_IN_PROGRESS", "57014"]);

/** The server's own errors have a severity; a loss has a code of Node's or of the package. */
function isConnectionLoss(error: unknown): boolean {
  const { code, severity } = (error ?? {}) as { readonly code?: unknown; readonly severity?: unknown };
  return typeof code === "string" && severity === undefined && !LOCAL_CODES.has(code);
}
