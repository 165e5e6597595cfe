// What a live query holds, and that it is let go: a tab stays open for days.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { colRef } from "../../core/query/column-node.ts";
import { createDb } from "../../core/query/db.ts";
import { select } from "../../core/query/select-builder.ts";
import { count } from "../../core/query/aggregates.ts";
import { desc, eq, gt } from "../../core/query/expressions.ts";
import { boolean, id, int, ref } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { createQueryRuntime } from "./create-query-runtime.ts";
import { QueryNode } from "./pipeline.ts";

const lists = table("lists", { id: id() });
const todos = table("todos", { id: id(), listId: ref(() => lists.id), done: boolean(), rank: int() });
const schema = defineSchema({ lists, todos });
const engine = { select: () => Promise.resolve([]), write: () => Promise.resolve() };
const db = createDb({ schema, engine });

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const todo = (n: number): Row => ({ id: `t${n}`, listId: "l1", done: n % 2 === 0, rank: n });

function open() {
  const runtime = createQueryRuntime({ schema });
  runtime.fill("lists", [{ id: "l1" }]);
  runtime.fill(
    "todos",
    Array.from({ length: 500 }, (_, n) => todo(n)),
  );
  runtime.setStatus("complete");
  return runtime;
}

const perList = select({ listId: todos.listId, n: count() }).from(todos).groupBy(todos.listId);
const queries = {
  "a window": db.select().from(todos).where(eq(todos.done, false)).orderBy(desc(todos.rank)).limit(20),
  groups: db.select({ listId: todos.listId, n: count() }).from(todos).groupBy(todos.listId),
  "nested rows": db
    .select()
    .from(lists)
    .include({ todos: select().from(todos).where(eq(todos.listId, lists.id)).orderBy(desc(todos.rank)).limit(3) }),
  "a subquery": db
    .select({ id: lists.id, n: colRef<number>("totals", "n") })
    .fromSubquery(perList, "totals")
    .innerJoin(lists, eq(lists.id, colRef("totals", "listId")))
    .where(gt(colRef("totals", "n"), 1)),
};

/** Watches what takes commits. */
const pushes = vi.spyOn(QueryNode.prototype, "push");

/** Gives a todo another rank, and its own again. */
function move(runtime: ReturnType<typeof open>): void {
  const [own, other] = [todo(1), { ...todo(1), rank: 1000 }];
  runtime.commit([{ table: "todos", id: "t1", before: own, after: other }]);
  runtime.commit([{ table: "todos", id: "t1", before: other, after: own }]);
}

/** Subscribes, takes commits, lets go, and gives weak references to what took them. */
async function useAndClose(runtime: ReturnType<typeof open>, query: (typeof queries)[keyof typeof queries]) {
  const unsubscribe = runtime.live(query.ast).subscribe(() => undefined);
  move(runtime);
  const nodes = pushes.mock.contexts.map((node) => new WeakRef(node as QueryNode));
  pushes.mockClear();
  unsubscribe();
  await Promise.resolve();
  return nodes;
}

test.each(Object.entries(queries))("%s that is closed takes no commits and holds nothing", async (_, query) => {
  const runtime = open();
  const nodes = await useAndClose(runtime, query);
  expect(nodes.length).toBeGreaterThan(0);
  move(runtime);
  expect(pushes).not.toHaveBeenCalled();
  await vi.waitFor(() => {
    collectGarbage();
    expect(nodes.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });
});

test("what queries show is the row that the view holds, not a copy", () => {
  const runtime = open();
  const shown: (readonly object[])[] = [];
  for (const query of [queries["a window"], db.select().from(todos).where(gt(todos.rank, 490))])
    runtime.live(query.ast).subscribe((rows) => shown.push(rows));
  for (const row of shown.flat()) expect(row).toBe(runtime.source("todos").get((row as Row)["id"] as string));
  expect(shown.flat()).toHaveLength(29);
});
