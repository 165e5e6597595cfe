import { expect, test } from "vitest";
import { alias, colRef, count, desc, eq, exists, gt, select } from "../../core/index.ts";
import { boolean, id, int, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { createQueryRuntime } from "./create-query-runtime.ts";

const users = table("users", { id: id(), name: text() });
const issues = table(
  "issues",
  { id: id(), open: boolean(), at: int(), ownerId: ref(() => users.id) },
  { indexes: (t) => [[t.open, t.at]] },
);
const schema = defineSchema({ users, issues });
const runtime = createQueryRuntime({ schema });
runtime.fill("users", [{ id: "u1", name: "Ann" }]);
runtime.fill(
  "issues",
  Array.from({ length: 1000 }, (_, i) => ({ id: `i${i}`, open: i % 2 === 0, at: i, ownerId: "u1" })),
);
const newest = select().from(issues).where(eq(issues.open, true)).orderBy(desc(issues.at)).limit(10);

test("an ordered query with a limit is read from its index, and touches what it shows", () => {
  expect(runtime.explain(newest.ast)).toEqual({
    steps: ["from issues: index on open asc, at desc, id asc, read in order"],
    resultRows: 10,
    rowsTouched: 10,
  });
});

test("a condition that no index serves reads every row, and says so", () => {
  const { steps, rowsTouched } = runtime.explain(select().from(issues).where(gt(issues.at, 990)).ast);
  expect(steps).toEqual(["from issues: every row"]);
  expect(rowsTouched).toBe(1000);
});

test("joins, subqueries and nested selects each say how they are looked up", () => {
  const others = alias(issues, "others");
  const own = newest
    .innerJoin(users)
    .where(exists(select().from(others).where(eq(others.ownerId, users.id))))
    .include({ others: select().from(users).where(eq(users.name, issues.id)), all: select().from(users) });
  expect(runtime.explain(own.ast).steps).toEqual([
    "from issues: index on open asc, at desc, id asc, read in order",
    "inner join users: by id",
    "1 condition with subqueries, tested for each row",
    "include others: for each row that is shown",
    "  from users: index on name asc, id asc, read in order",
    "include all: the same for every row",
    "  from users: every row",
  ]);
});

test("a subquery in FROM is explained beneath it", () => {
  const perOwner = select({ owner: issues.ownerId, n: count() }).from(issues).groupBy(issues.ownerId);
  const query = select()
    .fromSubquery(perOwner, "totals")
    .where(gt(colRef("totals", "n"), 1));
  expect(runtime.explain(query.ast).steps).toEqual(["from totals (a subquery): every row", "  from issues: every row"]);
});
