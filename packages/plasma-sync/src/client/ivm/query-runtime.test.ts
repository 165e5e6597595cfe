import { expect, test } from "vitest";
import type { ResultRow } from "../../core/query/ast.ts";
import { createDb } from "../../core/query/db.ts";
import { asc, eq, inArray } from "../../core/query/expressions.ts";
import type { LiveDelta } from "../../core/query/live-query.ts";
import { id, int, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { createQueryRuntime } from "./create-query-runtime.ts";

const todos = table("todos", { id: id(), title: text(), rank: int() });
const schema = defineSchema({ todos });
const engine = { select: () => Promise.resolve([]), write: () => Promise.resolve() };
const db = createDb({ schema, engine });
const byRank = db.select().from(todos).orderBy(asc(todos.rank)).ast;

const todo = (n: number, rank = n): Row => ({ id: `t${n}`, title: `Todo ${n}`, rank });
const added = (row: Row) => ({ table: "todos", id: row["id"] as string, before: null, after: row });
const removed = (row: Row) => ({ table: "todos", id: row["id"] as string, before: row, after: null });

function setUp(rows: readonly Row[] = [], onError?: (error: unknown) => void) {
  const runtime = createQueryRuntime(onError === undefined ? { schema } : { schema, onError });
  runtime.fill("todos", rows);
  return runtime;
}

test("a listener waits for the status to leave loading, then hears of rows and of status", () => {
  const runtime = setUp([todo(1)]);
  const live = runtime.live(byRank);
  const heard: string[] = [];
  live.subscribe((rows) => heard.push(`${live.status} ${rows.length}`));
  runtime.commit([added(todo(2))]);
  expect([live.status, heard]).toEqual(["loading", []]);
  runtime.setStatus("partial");
  runtime.commit([added(todo(3))]);
  runtime.setStatus("complete");
  runtime.setStatus("complete");
  expect(heard).toEqual(["partial 2", "partial 3", "complete 3"]);
});

test("a commit's rows and its status are one delivery, and no query tells the new status with old rows", () => {
  const runtime = setUp([todo(1)]);
  runtime.setStatus("complete");
  const [live, other] = [runtime.live(byRank), runtime.live(db.select().from(todos).where(eq(todos.rank, 9)).ast)];
  const heard: string[] = [];
  live.subscribe((rows) => heard.push(`${live.status} ${rows.length}`));
  other.subscribe((rows) => heard.push(`other ${other.status} ${rows.length}`));
  runtime.commit([removed(todo(1))], "partial");
  runtime.commit([added(todo(2))], "partial");
  runtime.commit([added(todo(3))], "complete");
  runtime.setStatus("complete");
  expect(heard).toEqual([
    "complete 1",
    "other complete 0",
    "partial 0",
    "other partial 0",
    "partial 1",
    "complete 2",
    "other complete 0",
  ]);
});

test("a late listener gets the rows when it subscribes", () => {
  const runtime = setUp([todo(2), todo(1)]);
  runtime.setStatus("complete");
  const heard: (readonly ResultRow[])[] = [];
  runtime.live(byRank).subscribe((rows) => heard.push(rows));
  expect(heard).toEqual([[todo(1), todo(2)]]);
});

test("whenReady starts a query that nobody listens to", async () => {
  const runtime = setUp([todo(1)]);
  const ready = runtime.live(byRank).whenReady();
  runtime.setStatus("partial");
  expect(await ready).toEqual([todo(1)]);
});

test("deltas begin with the whole window and then tell what changed", () => {
  const [one, two, three] = [todo(1), todo(2), todo(3)];
  const runtime = setUp([one, two]);
  runtime.setStatus("complete");
  const deltas: LiveDelta<ResultRow>[] = [];
  runtime.live({ ...byRank, limit: 2 }).subscribeDelta((delta) => deltas.push(delta));
  const moved = todo(2, 0);
  runtime.commit([{ table: "todos", id: "t2", before: two, after: moved }, added(three)]);
  runtime.commit([removed(one)]);
  expect(deltas).toEqual([
    { added: [one, two], removed: [], changed: [] },
    expect.objectContaining({ added: [], removed: [], changed: [{ before: two, after: moved }] }),
    expect.objectContaining({ added: [three], removed: [one], changed: [] }),
  ]);
});

test("a commit that leaves the result as it is delivers nothing", () => {
  const runtime = setUp([todo(1), todo(2)]);
  runtime.setStatus("complete");
  let deliveries = 0;
  const titles = db.select({ title: todos.title }).from(todos).orderBy(asc(todos.rank)).limit(1).ast;
  runtime.live(titles).subscribe(() => (deliveries += 1));
  runtime.live(titles).subscribeDelta(() => (deliveries += 1));
  runtime.commit([{ table: "todos", id: "t1", before: todo(1), after: todo(1, 0) }, added(todo(5))]);
  runtime.commit([]);
  expect(deliveries).toBe(2);
});

test("rows that only changed places reach row listeners", () => {
  const runtime = setUp([todo(1), todo(2)]);
  runtime.setStatus("complete");
  const heard: unknown[] = [];
  runtime
    .live(db.select({ id: todos.id }).from(todos).orderBy(asc(todos.rank)).ast)
    .subscribe((rows) => heard.push(rows));
  runtime.commit([{ table: "todos", id: "t1", before: todo(1), after: todo(1, 3) }]);
  expect(heard).toEqual([
    [{ id: "t1" }, { id: "t2" }],
    [{ id: "t2" }, { id: "t1" }],
  ]);
});

test("all windows hold a commit before the first listener hears of it", () => {
  const runtime = setUp([]);
  runtime.setStatus("complete");
  const counts: number[][] = [];
  let second: readonly ResultRow[] = [];
  runtime.live(byRank).subscribe((rows) => counts.push([rows.length, runtime.select(byRank).length, second.length]));
  runtime.live({ ...byRank, limit: 5 }).subscribe((rows) => (second = rows));
  runtime.live(byRank).subscribe(() => {
    runtime.live({ ...byRank, limit: 5 }).subscribe((rows) => counts.push([rows.length]))();
  });
  counts.length = 0;
  runtime.commit([added(todo(1))]);
  expect(counts).toEqual([[1, 1, 0], [1]]);
});

test("listeners may unsubscribe themselves and others while a delivery runs", () => {
  const runtime = setUp([]);
  runtime.setStatus("complete");
  const heard: string[] = [];
  const leave: (() => void)[] = [];
  for (const name of ["a", "b", "c"]) {
    leave.push(
      runtime.live(byRank).subscribe((rows) => {
        if (rows.length === 0) return;
        heard.push(name);
        leave[0]?.();
        leave[1]?.();
      }),
    );
  }
  runtime.commit([added(todo(1))]);
  runtime.commit([added(todo(2))]);
  expect(heard).toEqual(["a", "c", "c"]);
});

test("a listener that subscribes during a delivery hears each change once", () => {
  const runtime = setUp([]);
  runtime.setStatus("complete");
  const heard: number[] = [];
  let isNew = true;
  runtime.live(byRank).subscribe((rows) => {
    if (rows.length === 0 || !isNew) return;
    isNew = false;
    runtime.live(byRank).subscribeDelta(({ added: rowsAdded }) => heard.push(rowsAdded.length));
  });
  runtime.commit([added(todo(1))]);
  runtime.commit([added(todo(2))]);
  expect(heard).toEqual([1, 1]);
});

test("a commit made by a listener is delivered after the one that it heard of", () => {
  const runtime = setUp([]);
  runtime.setStatus("complete");
  const heard: string[] = [];
  runtime.live(byRank).subscribe((rows) => {
    heard.push(`a${rows.length}`);
    if (rows.length === 1) runtime.commit([added(todo(2))]);
  });
  runtime.live(byRank).subscribe((rows) => heard.push(`b${rows.length}`));
  runtime.commit([added(todo(1))]);
  expect(heard).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
});

test("a listener that throws is reported and keeps nobody from hearing", () => {
  const errors: unknown[] = [];
  const runtime = setUp([], (error) => errors.push(error));
  runtime.setStatus("complete");
  let heard = 0;
  const failure = { why: "listener" };
  runtime.live(byRank).subscribe(() => {
    throw failure;
  });
  runtime.live(byRank).subscribe(() => (heard += 1));
  runtime.commit([added(todo(1))]);
  expect([errors, heard]).toEqual([[failure, failure], 2]);
});

test("equal live queries share one window, which goes with the last listener", async () => {
  const runtime = setUp(Array.from({ length: 100 }, (_, n) => todo(n)));
  runtime.setStatus("complete");
  const workOf = (run: () => void): number => {
    const before = runtime.work.rows;
    run();
    return runtime.work.rows - before;
  };
  const leave: (() => void)[] = [];
  const subscribe = () => leave.push(runtime.live(structuredClone(byRank)).subscribe(() => undefined));
  expect(workOf(subscribe)).toBeGreaterThanOrEqual(100);
  expect(workOf(subscribe)).toBe(0);
  for (const fn of leave.splice(0)) fn();
  expect(workOf(subscribe)).toBe(0);
  for (const fn of leave.splice(0)) fn();
  await Promise.resolve();
  expect(workOf(subscribe)).toBeGreaterThanOrEqual(100);
});

test("a select through an overlay sees rows replaced, hidden and added", () => {
  const runtime = setUp([todo(1), todo(2), todo(3)]);
  const overlay = new Map([
    [
      "todos",
      new Map<string, Row | null>([
        ["t1", todo(1, 9)],
        ["t2", null],
        ["t4", todo(4, 0)],
      ]),
    ],
  ]);
  expect(runtime.select(byRank, overlay)).toEqual([todo(4, 0), todo(3), todo(1, 9)]);
  expect(runtime.select({ ...byRank, limit: 2 }, overlay)).toEqual([todo(4, 0), todo(3)]);
  const pinned = db
    .select()
    .from(todos)
    .where(inArray(todos.id, ["t2", "t4"])).ast;
  expect(runtime.select(pinned, overlay)).toEqual([todo(4, 0)]);
  expect(runtime.select(db.select().from(todos).where(eq(todos.rank, 1)).ast, overlay)).toEqual([]);
  expect(runtime.select(byRank)).toEqual([todo(1), todo(2), todo(3)]);
});

test("rows filled in after an index was built are found through it", () => {
  const runtime = setUp([todo(2)]);
  const first = { ...byRank, limit: 1 };
  expect(runtime.select(first)).toEqual([todo(2)]);
  runtime.fill("todos", [todo(1)]);
  expect(runtime.select(first)).toEqual([todo(1)]);
});
