// Owns: changes of result rows, and what of them can be seen.

import { sameValue } from "../../core/lib/deep-equal.ts";
import type { ResultRow } from "../../core/query/ast.ts";
import type { LiveDelta } from "../../core/query/live-query.ts";
import { valuesKey } from "../../core/query/values-key.ts";
import type { Value } from "../../core/schema/value.ts";

/** A change of a result row; both the same where it has only moved. */
export interface ResultChange {
  readonly key: string;
  readonly before: ResultRow | null;
  readonly after: ResultRow | null;
}

/** The changes as people see them: a row that another one replaced which is the same object has not changed. */
export function deltaOf(changes: readonly ResultChange[]): LiveDelta<ResultRow> {
  const added = new Set<ResultRow>();
  const removed = new Set<ResultRow>();
  const changed: { before: ResultRow; after: ResultRow }[] = [];
  for (const { before, after } of changes) {
    if (before === after) continue;
    if (before !== null && after !== null) changed.push({ before, after });
    else if (before !== null) removed.add(before);
    else if (after !== null && !removed.delete(after)) added.add(after);
  }
  return { added: [...added], removed: [...removed], changed };
}

/** What is different between two lists of whole rows. */
export function deltaBetween(before: readonly ResultRow[], after: readonly ResultRow[]): LiveDelta<ResultRow> {
  const old = new Map(before.map((row) => [row["id"], row]));
  const changes: ResultChange[] = after.map((row) => {
    const known = old.get(row["id"]) ?? null;
    old.delete(row["id"]);
    return { key: "", before: known, after: row };
  });
  for (const row of old.values()) changes.push({ key: "", before: row, after: null });
  return deltaOf(changes);
}

export const NOTHING: LiveDelta<ResultRow> = { added: [], removed: [], changed: [] };

export const isEmpty = ({ added, removed, changed }: LiveDelta<ResultRow>): boolean =>
  added.length + removed.length + changed.length === 0;

/** Gives new entries the results of removed ones that showed the same: to see, nothing has happened. */
export function adoptTwins<E extends { result: ResultRow | null }>(
  added: readonly E[],
  changes: readonly ResultChange[],
  resultOf: (entry: E) => ResultRow,
): void {
  const gone = changes.filter(({ before, after }) => before !== null && after === null);
  if (gone.length === 0) return;
  const removed = Map.groupBy(
    gone.map(({ before }) => before as ResultRow),
    contentKey,
  );
  for (const entry of added) {
    const own = resultOf(entry);
    // The key is a text of the values: those of objects may collide.
    const twins = removed.get(contentKey(own)) ?? [];
    const twin = twins.findIndex((other) => showSame(own, other));
    if (twin >= 0) entry.result = twins.splice(twin, 1)[0] as ResultRow;
  }
}

/** Whether two results show the same. */
export const showSame = (own: ResultRow, other: ResultRow): boolean =>
  Object.keys(own).every((name) => sameValue(own[name], other[name]));

const contentKey = (row: ResultRow): string => valuesKey(Object.values(row) as Value[]);
