// Owns: Groups, the groups of a query under changes of what they are made of: for groupBy, aggregates and distinct.
// Invariants:
//   1. A group is there while something is in it; the one group of a query without groupBy always is.
//   2. `settle` reports each group once, and only where it shows other values than at the last settle.

import { must } from "../../core/lib/assert.ts";
import { sameValue } from "../../core/lib/deep-equal.ts";
import {
  termKey,
  type AggregateNode,
  type Expr,
  type ResultRow,
  type SelectNode,
  type Term,
} from "../../core/query/ast.ts";
import { compileExpr, type ExprScope, type Read } from "../../core/query/predicate.ts";
import { valuesKey } from "../../core/query/values-key.ts";
import type { Value } from "../../core/schema/value.ts";
import { createAccumulator, type Accumulator } from "./accumulators.ts";
import type { EntryChange } from "./relation.ts";
import { termsOf } from "../../core/query/bind-select.ts";

/** What a group shows: a value for each of its terms. */
export interface GroupEntry {
  readonly key: string;
  readonly values: readonly Value[];
  result: ResultRow | null;
}

/** How things of type `T` are grouped. */
export interface GroupPlan<T> {
  readonly keys: readonly Read<T>[];
  readonly aggregates: readonly { readonly node: AggregateNode; readonly read: Read<T> | null }[];
  /** Whether there is one group even of nothing. */
  readonly isWhole: boolean;
  readonly isShown: (entry: GroupEntry) => boolean;
  readonly scope: Pick<ExprScope<GroupEntry>, "read">;
}

/** The groups of a query with groupBy or aggregates. */
export function planGroups<T>(query: SelectNode, scope: Pick<ExprScope<T>, "read">): GroupPlan<T> {
  const { groupBy, having, orderBy, projection } = query;
  const used = [
    ...(projection ?? []).map(({ column }) => column),
    ...orderBy.map(({ column }) => column),
    ...(having === null ? [] : termsOf(having)),
  ];
  const aggregates = new Map(
    used.flatMap((term) => (term.type === "aggregate" ? [[termKey(term), term] as const] : [])),
  );
  const nodes = [...aggregates.values()];
  return {
    keys: groupBy.map((column) => scope.read(column)),
    aggregates: nodes.map((node) => ({ node, read: node.column === null ? null : scope.read(node.column) })),
    isWhole: groupBy.length === 0,
    ...shown([...groupBy, ...nodes], having),
  };
}

/** The different rows of a query's projection. */
export function planDistinct<T>(query: SelectNode, scope: Pick<ExprScope<T>, "read">): GroupPlan<T> {
  const terms = (query.projection ?? []).map(({ column }) => column);
  return { keys: terms.map((term) => scope.read(term)), aggregates: [], isWhole: false, ...shown(terms, null) };
}

function shown(terms: readonly Term[], having: Expr | null): Pick<GroupPlan<unknown>, "scope" | "isShown"> {
  const keys = terms.map(termKey);
  const scope = {
    read: (term: Term): Read<GroupEntry> => {
      const at = keys.indexOf(termKey(term));
      return ({ values }) => values[at] ?? null;
    },
  };
  const test = having === null ? null : compileExpr(having, scope);
  return { scope, isShown: (entry) => test === null || test(entry) === true };
}

interface Group {
  readonly key: string;
  readonly keys: readonly Value[];
  readonly accumulators: readonly Accumulator[];
  count: number;
  shown: GroupEntry | null;
}

export class Groups<T> {
  readonly #plan: GroupPlan<T>;
  readonly #groups = new Map<string, Group>();
  readonly #touched = new Set<Group>();

  constructor(plan: GroupPlan<T>) {
    this.#plan = plan;
    if (plan.isWhole) this.#touched.add(this.#groupOf([]));
  }

  change({ before, after }: EntryChange<T>): void {
    if (before !== null) this.#put(before, -1);
    if (after !== null) this.#put(after, 1);
  }

  settle(): EntryChange<GroupEntry>[] {
    const changes: EntryChange<GroupEntry>[] = [];
    for (const group of this.#touched) {
      const before = group.shown;
      const after = this.#entryOf(group);
      if (group.count === 0 && !this.#plan.isWhole) this.#groups.delete(group.key);
      const isSame =
        before === after ||
        (before !== null &&
          after !== null &&
          after.values.every((value, i) => sameValue(value, before.values[i] ?? null)));
      if (isSame) continue;
      group.shown = after;
      changes.push({ before, after });
    }
    this.#touched.clear();
    return changes;
  }

  #put(item: T, sign: 1 | -1): void {
    const group = this.#groupOf(this.#plan.keys.map((read) => read(item)));
    group.count += sign;
    for (const [i, { read }] of this.#plan.aggregates.entries()) {
      const value = read === null ? 0 : read(item);
      const accumulator = must(group.accumulators[i], "groups: one accumulator per aggregate");
      if (value === null) continue;
      if (sign > 0) accumulator.add(value);
      else accumulator.remove(value);
    }
    this.#touched.add(group);
  }

  #groupOf(keys: readonly Value[]): Group {
    const key = valuesKey(keys);
    let group = this.#groups.get(key);
    if (group === undefined) {
      const accumulators = this.#plan.aggregates.map(({ node }) => createAccumulator(node));
      this.#groups.set(key, (group = { key, keys, accumulators, count: 0, shown: null }));
    }
    return group;
  }

  #entryOf(group: Group): GroupEntry | null {
    if (group.count === 0 && !this.#plan.isWhole) return null;
    const values = [...group.keys, ...group.accumulators.map(({ value }) => value)];
    const entry: GroupEntry = { key: group.key, values, result: null };
    return this.#plan.isShown(entry) ? entry : null;
  }
}
