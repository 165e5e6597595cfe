// Owns: StatementGate, through which every statement of one push transaction goes: it classifies failures and remembers
// them, so that a mutator cannot hide one by catching it.
// Invariants:
//   1. After a failure that was not a mutation's fault no statement runs.
//   2. After one that was, none of that mutation runs: it is refused anyway, and Postgres would take none.

import type { PlasmaError } from "../../core/error.ts";
import { serverError } from "../server-error.ts";
import { classifiedError } from "./classified-error.ts";
import type { SqlExecutor } from "./sql-executor.ts";

export class StatementGate {
  readonly #executor: SqlExecutor;
  #poison: PlasmaError | null = null;
  #refusal: PlasmaError | null = null;

  /** The failure that ends the push, if there was one. */
  get poison(): PlasmaError | null {
    return this.#poison;
  }

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  /** Runs statements of a mutation. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.checkMutation();
    try {
      return await call();
    } catch (cause) {
      const error = classifiedError(this.#executor, cause);
      if (error.code === "server/retry") this.#poison ??= error;
      else this.#refusal ??= error;
      throw error;
    }
  }

  /** Runs statements of Plasma's own: whatever fails there is no mutation's fault. */
  async runOwn<T>(call: () => Promise<T>): Promise<T> {
    this.check();
    try {
      return await call();
    } catch (cause) {
      throw (this.#poison ??= serverError("server/retry", {}, { cause }));
    }
  }

  /** Throws the failure that ends the push, if there was one. */
  check(): void {
    if (this.#poison !== null) throw this.#poison;
  }

  /** Throws what ends the push, or the refusal of the mutation that runs. */
  checkMutation(): void {
    this.check();
    if (this.#refusal !== null) throw this.#refusal;
  }

  /** Runs a mutation; throws what it threw, or a refused statement of it even if it caught that. */
  async runMutation(run: () => Promise<void>): Promise<void> {
    const thrown = await run().then(
      () => null,
      (error: unknown) => ({ error }),
    );
    const refusal = this.#refusal;
    this.#refusal = null;
    this.check();
    if (thrown !== null) throw thrown.error;
    if (refusal !== null) throw refusal;
  }
}
