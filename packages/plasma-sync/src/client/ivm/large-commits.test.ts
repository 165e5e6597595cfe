import { expect, test } from "vitest";
import { asc, desc } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { id, int } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { createQueryRuntime } from "./create-query-runtime.ts";

const items = table("items", { id: id(), rank: int() });
const PAGE = 1000;

/** New rows, as a page of a first sync has them: ids ascend, ranks do not. */
const page = (number: number) =>
  Array.from({ length: PAGE }, (_, i) => {
    const n = number * PAGE + i;
    const row = { id: `i${String(n).padStart(6, "0")}`, rank: (n * 7919) % 100_003 };
    return { table: "items", id: row.id, before: null, after: row };
  });

test("a page of a first sync costs as much when a hundred are there as when two are", () => {
  const runtime = createQueryRuntime({ schema: defineSchema({ items }) });
  runtime.setStatus("partial");
  let first: unknown;
  let last: unknown;
  runtime
    .live(select().from(items).orderBy(asc(items.rank)).limit(1).ast)
    .subscribe(([row]) => (first = row?.["rank"]));
  runtime.live(select().from(items).orderBy(desc(items.id)).limit(1).ast).subscribe(([row]) => (last = row?.["id"]));
  const touched: number[] = [];
  for (let number = 0; number < 100; number++) {
    const before = runtime.work.rows;
    runtime.commit(page(number));
    touched.push(runtime.work.rows - before);
  }
  expect([first, last]).toEqual([0, "i099999"]);
  expect(touched[99]).toBe(touched[2]);
  expect(touched[99]).toBeLessThan(4 * PAGE);
});
