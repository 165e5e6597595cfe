// Owns: one generated case: a world, a query, a history of commits, and what has to be equal after each of them.

import type { ResultRow, Row, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { createQueryRuntime } from "../../packages/plasma-sync/src/client/ivm/create-query-runtime.ts";
import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import type { LiveDelta } from "../../packages/plasma-sync/src/core/query/live-query.ts";
import { termKey } from "../../packages/plasma-sync/src/core/query/ast.ts";
import { tablesOf } from "../../packages/plasma-sync/src/core/query/tables-of.ts";
import { evaluate } from "../../packages/plasma-sync/src/core/query/evaluate.ts";
import type { Draw } from "./draw.ts";
import { drawQuery } from "./generate.ts";
import { operatorsOf } from "./operators.ts";
import { variantsOf } from "./variants.ts";
import { drawCommit, drawWorld, type World } from "./world.ts";

/** Another executor that has to agree: a database that follows the world. */
export interface Follower {
  readonly name: string;
  /** Takes the world as it is at the start. */
  open(world: World): Promise<void>;
  commit(changes: readonly RowChange[]): Promise<void>;
  run(query: SelectNode): Promise<readonly ResultRow[]>;
  close(): Promise<void>;
}

export interface CaseReport {
  readonly query: SelectNode;
  readonly operators: readonly string[];
  readonly hasRows: boolean;
  readonly commits: number;
  /** Commits that changed the result. */
  readonly altering: number;
}

const COMMITS = 6;

/** Runs a case. Throws with what differs. */
export async function checkCase(draw: Draw, followers: readonly Follower[]): Promise<CaseReport> {
  const world = drawWorld(draw);
  const rowsOf = (table: string): Iterable<Row> => (world.rows.get(table) as Map<string, Row>).values();
  const query = withCursor(draw, drawQuery(draw, world), rowsOf);
  const live = openLive(query, world);
  const read = tablesOf(query);
  for (const follower of followers) await follower.open(world);
  const state = { commits: 0, altering: 0, hasRows: false };
  try {
    let before = evaluate(query, rowsOf);
    state.hasRows = before.length > 0;
    for (let step = 0; step <= COMMITS; step++) {
      if (step > 0) {
        const changes = drawCommit(draw, world, read);
        live.commit(changes);
        for (const follower of followers) await follower.commit(changes);
        const after = evaluate(query, rowsOf);
        live.expectDeliveries(!same(before, after), step);
        state.commits += 1;
        if (!same(before, after)) state.altering += 1;
        before = after;
      }
      live.expectRows(before, step);
      // Databases are slow to ask: at the beginning and at the end.
      if (step === 0 || step === COMMITS)
        for (const follower of followers) expectSame(follower.name, await follower.run(query), before, step);
    }
    for (const [name, variant] of variantsOf(query)) expectSame(name, evaluate(variant, rowsOf), before, COMMITS);
  } finally {
    for (const follower of followers) await follower.close();
  }
  return { query, operators: operatorsOf(query), ...state };
}

/** Sometimes the query after one of its own rows. */
function withCursor(
  draw: Draw,
  select: ReturnType<typeof drawQuery>,
  rowsOf: (table: string) => Iterable<Row>,
): SelectNode {
  const query = select.ast;
  if (!draw.once(8)) return query;
  const rows = evaluate({ ...query, limit: null, offset: 0 }, rowsOf);
  const holdsOrder =
    query.projection === null ||
    query.orderBy.every(({ column }) => query.projection?.some((shown) => termKey(shown.column) === termKey(column)));
  return rows.length === 0 || !holdsOrder ? query : select.after(draw.pick(rows)).ast;
}

interface Live {
  commit(changes: readonly RowChange[]): void;
  expectDeliveries(isChanged: boolean, step: number): void;
  expectRows(rows: readonly ResultRow[], step: number): void;
}

function openLive(query: SelectNode, world: World): Live {
  const runtime = createQueryRuntime({
    schema: world.schema,
    onError: (error) => {
      throw error;
    },
  });
  for (const [table, rows] of world.rows) runtime.fill(table, [...rows.values()]);
  runtime.setStatus("complete");
  let rows: readonly ResultRow[] = [];
  let old: readonly ResultRow[] = [];
  let deliveries = 0;
  const replayed: ResultRow[] = [];
  runtime.live(query).subscribe((now) => {
    rows = now;
    deliveries += 1;
  });
  runtime.live(query).subscribeDelta((delta) => replay(replayed, delta));
  return {
    commit(changes) {
      old = rows;
      deliveries = 0;
      runtime.commit(changes);
    },
    expectDeliveries(isChanged, step) {
      const expected = isChanged ? 1 : 0;
      if (deliveries !== expected) throw new Error(`step ${step}: ${deliveries} deliveries, expected ${expected}`);
      // Results that are told apart by an id: what shows the same as before is the same object.
      if (query.projection !== null || query.joins.length > 0 || query.from.query !== undefined) return;
      const known = new Map(old.map((row) => [row["id"], row]));
      for (const row of rows) {
        const before = known.get(row["id"]);
        if (before !== undefined && before !== row && keyOf(before) === keyOf(row))
          throw new Error(`step ${step}: a row that did not change is another object: ${keyOf(row)}`);
      }
    },
    expectRows(expected, step) {
      expectSame("live", rows, expected, step);
      expectSame("select", runtime.select(query), expected, step);
      expectSame("deltas", inKeyOrder(replayed), inKeyOrder(expected), step);
    },
  };
}

function replay(rows: ResultRow[], { added, removed, changed }: LiveDelta<ResultRow>): void {
  const gone = [...removed, ...changed.map(({ before }) => before)];
  for (const row of gone) {
    const at = rows.indexOf(row);
    if (at < 0) throw new Error(`a delta removes what is not there: ${keyOf(row)}`);
    rows.splice(at, 1);
  }
  rows.push(...added, ...changed.map(({ after }) => after));
}

const inKeyOrder = (rows: readonly ResultRow[]): ResultRow[] =>
  [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));

/** Equal for results that show the same. */
export const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    if (part instanceof Uint8Array) return [...part];
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  }) ?? "undefined";

const same = (a: readonly ResultRow[], b: readonly ResultRow[]): boolean =>
  a.length === b.length && a.every((row, i) => keyOf(row) === keyOf(b[i]));

function expectSame(name: string, got: readonly ResultRow[], wanted: readonly ResultRow[], step: number): void {
  const at = Array.from({ length: Math.max(got.length, wanted.length) }, (_, i) => i).find(
    (i) => keyOf(got[i]) !== keyOf(wanted[i]) && !isNear(got[i], wanted[i]),
  );
  if (at === undefined) return;
  throw new Error(
    `step ${step}: ${name} gives ${got.length} rows, evaluate ${wanted.length}; row ${at}:\n  ${keyOf(got[at])}\n  ${keyOf(wanted[at])}`,
  );
}

/** Engines may round the last digit of a mean in their own way. */
function isNear(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number")
    return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [own, other] = [Object.entries(a), b as { readonly [key: string]: unknown }];
  return own.every(([key, value]) => keyOf(value) === keyOf(other[key]) || isNear(value, other[key]));
}
