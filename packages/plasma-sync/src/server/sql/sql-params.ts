// Owns: SqlParams, which numbers the bound values of one statement.

import { toHex } from "../../core/lib/hex.ts";
import type { SqlParam } from "../database/sql-executor.ts";

export class SqlParams {
  readonly #own: SqlParam[] = [];
  readonly #packed: (string | number | null)[] | null;

  readonly #placeholder: (n: number) => string;

  /** Packed: all plain values share one JSON parameter, for statements of SQLite that would have too many. */
  constructor(options: { readonly packed: boolean; readonly placeholder?: (n: number) => string }) {
    this.#packed = options.packed ? [] : null;
    this.#placeholder = options.placeholder ?? ((n) => `?${n}`);
    // The pack's place is the first; it is filled when the statement is complete.
    if (options.packed) this.#own.push(null);
  }

  /** Binds a plain value and returns the SQL that stands for it. */
  value(value: SqlParam): string {
    if (this.#packed === null) return this.whole(value);
    const index = this.#packed.push(value instanceof Uint8Array ? toHex(value) : value) - 1;
    return value instanceof Uint8Array ? `unhex(?1->>${index})` : `(?1->>${index})`;
  }

  /** Binds a value to a placeholder of its own. */
  whole(value: SqlParam): string {
    return this.#placeholder(this.#own.push(value));
  }

  get list(): readonly SqlParam[] {
    if (this.#packed !== null) this.#own[0] = JSON.stringify(this.#packed);
    return this.#own;
  }
}
