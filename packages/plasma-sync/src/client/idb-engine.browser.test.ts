import { expect, test } from "vitest";
import { createDb } from "../core/query/db.ts";
import { asc, eq } from "../core/query/expressions.ts";
import { blob, bigint, id, int, text } from "../core/schema/column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import { createIdbEngine } from "./idb-engine.ts";

const drafts = table("drafts", {
  id: id(),
  text: text().unique(),
  rank: int().default(0),
  big: bigint().nullable(),
  bytes: blob().nullable(),
});
const schema = defineSchema({ drafts });
const open = () => {
  const engine = createIdbEngine({ schema, dbName: "engine-test" });
  return { engine, db: createDb({ schema, engine }) };
};

test("rows survive closing and opening, live queries see writes, constraints hold", async () => {
  const first = open();
  await first.db.insert(drafts).values({ id: "a", text: "one", big: 2n ** 63n - 1n, bytes: new Uint8Array([0, 255]) });
  const seen: string[][] = [];
  const stop = first.db
    .select()
    .from(drafts)
    .orderBy(asc(drafts.rank))
    .live()
    .subscribe((rows) => seen.push(rows.map((row) => row.text)));
  await first.db.insert(drafts).values([
    { id: "b", text: "two", rank: 2 },
    { id: "c", text: "three", rank: 3 },
  ]);
  await expect(first.db.insert(drafts).values({ text: "one" })).rejects.toMatchObject({ code: "constraint/unique" });
  await first.db.delete(drafts).where(eq(drafts.id, "b"));
  stop();
  first.engine.close();
  expect(seen).toEqual([["one"], ["one", "two", "three"], ["one", "three"]]);

  const second = open();
  expect(await second.db.select().from(drafts).orderBy(asc(drafts.rank))).toEqual([
    { id: "a", text: "one", rank: 0, big: 2n ** 63n - 1n, bytes: new Uint8Array([0, 255]) },
    { id: "c", text: "three", rank: 3, big: null, bytes: null },
  ]);
  second.engine.close();
});
