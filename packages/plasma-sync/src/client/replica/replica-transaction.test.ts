import { expect, test } from "vitest";
import { and, eq, exists } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import type { Row } from "../../core/schema/value.ts";
import { createTestReplica, items, lists } from "./replica.fixture.ts";
import { ReplicaTransaction } from "./replica-transaction.ts";
import { RowMap } from "./row-map.ts";

test("a select that pins an id reads the tables of its subqueries and includes whole, and says so", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addList", { id: "a", name: "first" });
  await tab.mutate("addItem", { list: "a", title: "one" });
  const ofList = select().from(items).where(eq(items.list, lists.id));
  const pinned = select().from(lists).where(eq(lists.id, "a"));
  const twin = select({ id: items.list }).from(items);
  const read = async (query: { readonly ast: Parameters<ReplicaTransaction["select"]>[0] }) => {
    const transaction = new ReplicaTransaction(tab.runtime, new RowMap<Row | null>());
    const { length } = await transaction.select(query.ast);
    return [length, [...transaction.reads.rows.keys()], [...transaction.reads.tables].toSorted()];
  };
  expect(await read(pinned)).toEqual([1, ["lists"], []]);
  expect(await read(pinned.where(exists(ofList)))).toEqual([1, [], ["items", "lists"]]);
  expect(await read(pinned.include({ items: ofList }))).toEqual([1, [], ["items", "lists"]]);
  expect(await read(select().fromSubquery(twin, "d").where(and()))).toEqual([1, [], ["items"]]);
});
