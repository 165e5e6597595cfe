// Owns: TupleChanges: how the tuples of a query change in a commit, consolidated: a tuple may change by several of its rows.

import type { Slots } from "../../core/query/predicate.ts";
import type { PlannedSource } from "./plan-access.ts";
import { keyColumnOf } from "./source.ts";

export interface TupleChange {
  readonly key: string;
  before: Slots | null;
  after: Slots | null;
}

/** Makes the function that gives tuples of the same rows the same key, whatever their values. Ids hold no U+0000. */
export function createTupleKey(sources: readonly PlannedSource[], base: number): (tuple: Slots) => string {
  const keys = sources.map(({ meta }) => keyColumnOf(meta));
  if (keys.length === 1) {
    const [column] = keys as [string];
    return (tuple) => tuple[base]?.[column] as string;
  }
  return (tuple) => {
    let key = "";
    for (let i = base; i < tuple.length; i++) {
      const row = tuple[i];
      key += row === null || row === undefined ? "-\0" : `+${row[keys[i - base] as string] as string}\0`;
    }
    return key;
  };
}

export class TupleChanges {
  readonly byKey = new Map<string, TupleChange>();
  readonly #keyOf: (tuple: Slots) => string;

  constructor(keyOf: (tuple: Slots) => string) {
    this.#keyOf = keyOf;
  }

  remove(tuple: Slots): void {
    const key = this.#keyOf(tuple);
    const change = this.byKey.get(key);
    if (change === undefined) this.byKey.set(key, { key, before: tuple, after: null });
    else if (change.before === null) this.byKey.delete(key);
    else change.after = null;
  }

  add(tuple: Slots): void {
    const key = this.#keyOf(tuple);
    const change = this.byKey.get(key);
    if (change === undefined) this.byKey.set(key, { key, before: null, after: tuple });
    else change.after = tuple;
  }
}
