// Owns: StatementGate, through which every statement of one push transaction goes: it classifies failures and remembers
// them, so that a mutator cannot hide one by catching it.

import type { PlasmaError } from "../../core/error.ts";
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

  /** Runs one statement. After a failure that was not a mutation's fault it runs none. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.check();
    try {
      return await call();
    } catch (cause) {
      const error = classifiedError(this.#executor, cause);
      if (error.code === "server/retry") this.#poison ??= error;
      else this.#refusal ??= error;
      throw error;
    }
  }

  /** Throws the failure that ends the push, if there was one. */
  check(): void {
    if (this.#poison !== null) throw this.#poison;
  }

  /** Runs a mutation; throws what it threw, or a refused statement of it even if it caught that. */
  async runMutation(run: () => Promise<void>): Promise<void> {
    this.#refusal = null;
    try {
      await run();
    } catch (error) {
      this.check();
      throw error;
    }
    this.check();
    if (this.#refusal !== null) throw this.#refusal;
  }
}
