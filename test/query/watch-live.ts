// Owns: watching a live query: its rows, how often it delivers, what its deltas add up to, and that what did not change is the
// same object.

import type { LiveDelta, LiveQuery, ResultRow, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { expectSame, Mismatch } from "./mismatch.ts";
import { showOf } from "./show.ts";

export interface Watched {
  startCommit(): void;
  /** Checks that a commit delivered once if it altered the answer, else never. */
  checkDelivery(isAltered: boolean): void;
  checkRows(expected: readonly ResultRow[]): void;
  stop(): void;
}

export function watchLive(live: LiveQuery<ResultRow>): Watched {
  let rows: readonly ResultRow[] = [];
  let before: readonly ResultRow[] = [];
  let deliveries = 0;
  let deltas: LiveDelta<ResultRow>[] = [];
  const replayed = new Set<ResultRow>();
  const stops = [
    live.subscribe((now) => {
      rows = now;
      deliveries += 1;
    }),
    live.subscribeDelta((delta) => {
      deltas.push(delta);
      replay(replayed, delta);
    }),
  ];
  return {
    startCommit() {
      before = rows;
      deliveries = 0;
      deltas = [];
    },
    checkDelivery(isAltered) {
      const expected = isAltered ? 1 : 0;
      if (deliveries !== expected) throw new Mismatch("deliveries", `${deliveries} of rows, expected ${expected}`);
      // Rows that only change places may be a delta, where they show one another's values, or none.
      const isMoveOnly = isAltered && inAnyOrder(before) === inAnyOrder(rows);
      if (deltas.length !== expected && !(isMoveOnly && deltas.length === 0))
        throw new Mismatch("deltas", `${deltas.length} come, expected ${expected}: ${showOf(deltas)}`);
      if (tellsApart(live.ast)) checkIdentity(before, rows);
    },
    checkRows(expected) {
      expectSame("live", rows, expected);
      expectSame("deltas", [inAnyOrder([...replayed])], [inAnyOrder(expected)]);
      for (const row of rows)
        if (!replayed.has(row)) throw new Mismatch("deltas", `another object than in the rows: ${showOf(row)}`);
    },
    stop: () => stops.forEach((stop) => stop()),
  };
}

const inAnyOrder = (rows: readonly ResultRow[]): string => rows.map(showOf).sort().join("\n");

function replay(rows: Set<ResultRow>, { added, removed, changed }: LiveDelta<ResultRow>): void {
  for (const row of [...removed, ...changed.map(({ before }) => before)])
    if (!rows.delete(row)) throw new Mismatch("deltas", `one removes what is not there: ${showOf(row)}`);
  for (const { before, after } of changed)
    if (showOf(before) === showOf(after)) throw new Mismatch("deltas", `one changes nothing: ${showOf(after)}`);
  for (const row of [...added, ...changed.map(({ after }) => after)]) {
    if (rows.has(row)) throw new Mismatch("deltas", `one adds what is there: ${showOf(row)}`);
    rows.add(row);
  }
}

/** Whether rows that show the same are the same rows: not where, say, two rows of a table show one name. */
function tellsApart({ from, joins, projection, groupBy, distinct }: SelectNode): boolean {
  if (from.query !== undefined) return false;
  if (projection === null || distinct) return true;
  const shows = (source: string, name: string): boolean =>
    projection.some(({ column }) => column.type === "column" && column.source === source && column.column === name);
  return groupBy.length > 0
    ? groupBy.every(({ source, column }) => shows(source, column))
    : [from, ...joins.map(({ source }) => source)].every(({ name }) => shows(name, "id"));
}

/** Of rows that show the same before and after, as many as there can be are the same objects. */
function checkIdentity(before: readonly ResultRow[], after: readonly ResultRow[]): void {
  if (before === after) return;
  const known = new Set(before);
  const kept = Map.groupBy(before, showOf);
  for (const [shown, rows] of Map.groupBy(after, showOf)) {
    const possible = Math.min(kept.get(shown)?.length ?? 0, rows.length);
    const same = rows.filter((row) => known.has(row)).length;
    if (same < possible)
      throw new Mismatch("identity", `${same} of ${possible} rows that did not change are the same objects: ${shown}`);
  }
}
