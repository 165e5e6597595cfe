import { expect, test } from "vitest";
import type { SelectNode } from "../../core/query/ast.ts";
import { createDb } from "../../core/query/db.ts";
import { and, asc, desc, eq, inArray } from "../../core/query/expressions.ts";
import { boolean, id, int, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { createQueryRuntime } from "./create-query-runtime.ts";

// Bounds on the work counter over 100,000 issues: what a change costs must not depend on how many rows there are.
const ISSUES = 100_000;
const users = table("users", { id: id(), name: text() });
const issues = table(
  "issues",
  { id: id(), key: text().unique(), open: boolean(), authorId: ref(() => users.id), label: text(), created: int() },
  { indexes: (t) => [[t.label]] },
);
const db = createDb({
  schema: defineSchema({ users, issues }),
  engine: { select: () => Promise.resolve([]), write: () => Promise.resolve() },
});
const issue = (n: number, created = n): Row => ({
  id: `i${n}`,
  key: `K-${n}`,
  open: n % 2 === 0,
  authorId: `u${n % 20_000}`,
  label: `l${n % 10_000}`,
  created,
});

const runtime = createQueryRuntime({ schema: defineSchema({ users, issues }) });
runtime.fill(
  "users",
  Array.from({ length: 20_000 }, (_, n) => ({ id: `u${n}`, name: `User ${n}` })),
);
runtime.fill(
  "issues",
  Array.from({ length: ISSUES }, (_, n) => issue(n)),
);
runtime.setStatus("complete");

const newest = db.select().from(issues).orderBy(desc(issues.created));
const queries: Record<string, SelectNode> = {
  filter: db.select().from(issues).where(eq(issues.open, true)).ast,
  order: newest.ast,
  limit: newest.where(eq(issues.open, true)).limit(50).ast,
  offset: newest.offset(50).limit(50).ast,
  "inner join": newest.innerJoin(users).limit(50).ast,
  "left join": db.select().from(users).leftJoin(issues).orderBy(asc(users.name)).limit(50).ast,
  "unlimited join": db.select({ title: issues.key, by: users.name }).from(issues).innerJoin(users).ast,
  lookup: db.select().from(issues).where(eq(issues.label, "l7")).ast,
};

function workOf(run: () => void): number {
  const before = runtime.work.rows;
  run();
  return runtime.work.rows - before;
}

for (const [name, query] of Object.entries(queries)) {
  test(`add, update and remove under ${name} touch a few rows of 100,000`, async () => {
    let deliveries = 0;
    const leave = runtime.live(query).subscribeDelta(() => (deliveries += 1));
    const added = { ...issue(ISSUES), created: ISSUES + 7, label: "l7", authorId: "u0" };
    const updated = { ...added, key: "other", created: ISSUES - 25 };
    const commit = (before: Row | null, after: Row | null) =>
      runtime.commit([{ table: "issues", id: `i${ISSUES}`, before, after }]);
    // Builds what the first change needs.
    commit(null, added);
    commit(added, null);
    const touched = [() => commit(null, added), () => commit(added, updated), () => commit(updated, null)].map(workOf);
    expect(Math.max(...touched)).toBeLessThanOrEqual(40);
    expect(deliveries).toBeGreaterThan(3);
    leave();
    await Promise.resolve();
  });
}

test("a joined row's change touches its matches only", async () => {
  const leave = runtime.live(queries["inner join"]!).subscribeDelta(() => undefined);
  const rename = (from: string, to: string) =>
    runtime.commit([
      { table: "users", id: "u19999", before: { id: "u19999", name: from }, after: { id: "u19999", name: to } },
    ]);
  rename("User 19999", "Ann");
  // Five issues of this user; index, source and lookups.
  expect(workOf(() => rename("Ann", "User 19999"))).toBeLessThanOrEqual(20);
  leave();
  await Promise.resolve();
});

test("a window of 50 rows is filled by touching about 50, the index being there", async () => {
  runtime.select(queries["offset"]!);
  expect(workOf(() => runtime.live(queries["offset"]!).subscribe(() => undefined)())).toBeLessThanOrEqual(101);
  expect(workOf(() => runtime.select(queries["limit"]!))).toBeLessThanOrEqual(101);
  expect(workOf(() => runtime.select(queries["inner join"]!))).toBeLessThanOrEqual(101);
  await Promise.resolve();
});

test("removing a window's rows one by one refills it from the index, a few at a time", async () => {
  const leave = runtime.live(queries["limit"]!).subscribeDelta(() => undefined);
  const gone = runtime.select(queries["limit"]!).slice(0, 30) as Row[];
  const total = workOf(() => {
    for (const row of gone) runtime.commit([{ table: "issues", id: row["id"] as string, before: row, after: null }]);
  });
  expect(total / gone.length).toBeLessThanOrEqual(20);
  runtime.commit(gone.map((row) => ({ table: "issues", id: row["id"] as string, before: null, after: row })));
  leave();
  await Promise.resolve();
});

test("selects by id, ref, unique column, declared index and a list of refs touch the matches only, overlaid or not", () => {
  const overlay = new Map([
    [
      "issues",
      new Map<string, Row | null>([
        ["i7", null],
        ["new", { ...issue(7), id: "new" }],
      ]),
    ],
  ]);
  const selects: [SelectNode, string[]][] = [
    [db.select().from(issues).where(eq(issues.id, "i7")).ast, []],
    [
      db
        .select()
        .from(issues)
        .where(inArray(issues.id, ["i7", "i8", "none"])).ast,
      ["i8"],
    ],
    [db.select().from(issues).where(eq(issues.authorId, "u7")).ast, ["i20007", "i40007", "i60007", "i80007", "new"]],
    [
      db
        .select()
        .from(issues)
        .where(inArray(issues.authorId, ["u7", "none"])).ast,
      ["i20007", "i40007", "i60007", "i80007", "new"],
    ],
    [
      db
        .select()
        .from(issues)
        .where(and(eq(issues.open, false), eq(issues.key, "K-7"))).ast,
      ["new"],
    ],
    [db.select().from(issues).where(eq(issues.key, "K-9")).limit(1).ast, ["i9"]],
    [
      db.select().from(issues).where(eq(issues.label, "l7")).orderBy(desc(issues.created)).limit(2).ast,
      ["i90007", "i80007"],
    ],
  ];
  for (const [query, expected] of selects) {
    runtime.select(query, overlay);
    let ids: unknown[] = [];
    expect(workOf(() => (ids = runtime.select(query, overlay).map((row) => row["id"])))).toBeLessThanOrEqual(10);
    expect(ids).toEqual(expected);
  }
});
