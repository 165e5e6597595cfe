import { expect, test } from "vitest";
import { count, max } from "../../core/query/aggregates.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import { colRef } from "../../core/query/column-node.ts";
import { createDb } from "../../core/query/db.ts";
import { asc, desc, eq, exists, gt, inArray, notExists } from "../../core/query/expressions.ts";
import type { LiveDelta } from "../../core/query/live-query.ts";
import { select, type AnySelect } from "../../core/query/select-builder.ts";
import { id, int, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { createQueryRuntime } from "./create-query-runtime.ts";
import type { QueryRuntime } from "./query-runtime.ts";

const users = table("users", { id: id(), name: text() });
const issues = table("issues", { id: id(), title: text(), points: int(), authorId: ref(() => users.id).nullable() });
const comments = table("comments", { id: id(), issueId: ref(() => issues.id), at: int() });
const schema = defineSchema({ users, issues, comments });
const db = createDb({ schema, engine: { select: () => Promise.resolve([]), write: () => Promise.resolve() } });

const user = (n: number, name = `User ${n}`): Row => ({ id: `u${n}`, name });
const issue = (n: number, more: Row = {}): Row => ({
  id: `i${n}`,
  title: `Issue ${n}`,
  points: n,
  authorId: `u${n % 3}`,
  ...more,
});
const comment = (n: number, more: Row = {}): Row => ({ id: `c${n}`, issueId: `i${n % 6}`, at: n, ...more });
const list = (length: number, make: (n: number) => Row): Row[] => Array.from({ length }, (_, n) => make(n));

function open(size = 12): QueryRuntime {
  const runtime = createQueryRuntime({ schema });
  runtime.fill(
    "users",
    list(4, (n) => user(n)),
  );
  runtime.fill(
    "issues",
    list(size, (n) => issue(n)),
  );
  runtime.fill(
    "comments",
    list(size, (n) => comment(n)),
  );
  runtime.setStatus("complete");
  return runtime;
}

const changeOf = (name: string, before: Row | null, after: Row | null) => ({
  table: name,
  id: (before ?? after)?.["id"] as string,
  before,
  after,
});

/** Hears a query's rows and deltas. */
function listen(runtime: QueryRuntime, query: AnySelect | SelectNode) {
  const live = runtime.live("ast" in query ? query.ast : query);
  const rows: (readonly ResultRow[])[] = [];
  const deltas: LiveDelta<ResultRow>[] = [];
  const leave = [live.subscribe((now) => rows.push(now)), live.subscribeDelta((delta) => deltas.push(delta))];
  const last = (): readonly ResultRow[] => rows.at(-1) ?? [];
  return { rows, deltas, last, leave: () => leave.forEach((fn) => fn()) };
}

const ofIssue = select({ id: comments.id, at: comments.at }).from(comments).where(eq(comments.issueId, issues.id));
const ofUser = select({ id: issues.id, title: issues.title }).from(issues).where(eq(issues.authorId, users.id));
const perAuthor = select({ authorId: issues.authorId, n: count(), top: max(issues.points) })
  .from(issues)
  .groupBy(issues.authorId);
const queries: Record<string, AnySelect> = {
  rows: db.select().from(issues).orderBy(desc(issues.points)),
  joined: db.select().from(issues).leftJoin(users),
  outer: db.select({ name: users.name, title: issues.title }).from(issues).fullJoin(users),
  groups: db.select({ authorId: issues.authorId, n: count() }).from(issues).groupBy(issues.authorId),
  distinct: db.select({ authorId: issues.authorId }).from(issues).distinct(),
  exists: db.select().from(issues).where(exists(ofIssue)),
  "not exists": db.select().from(users).where(notExists(ofUser)),
  contained: db
    .select()
    .from(users)
    .where(inArray(users.id, select({ id: issues.authorId }).from(issues).where(gt(issues.points, 5)))),
  nested: db
    .select()
    .from(users)
    .include({ issues: ofUser.include({ comments: ofIssue }) }),
  "one nested": db
    .select({ id: users.id })
    .from(users)
    .include({ latest: ofUser.orderBy(desc(issues.points)).one() }),
  derived: db
    .select()
    .fromSubquery(perAuthor, "a")
    .where(gt(colRef("a", "n"), 1)),
  "derived and joined": db
    .select()
    .fromSubquery(perAuthor, "a")
    .innerJoin(users, eq(users.id, colRef("a", "authorId"))),
};

/** Rows that come and go, in every table. */
function comeAndGo(runtime: QueryRuntime): void {
  const [newUser, newIssue, newComment] = [user(9), issue(9, { id: "new" }), comment(9, { id: "new" })];
  runtime.commit([changeOf("issues", null, newIssue), changeOf("users", null, newUser)]);
  runtime.commit([changeOf("comments", null, newComment)]);
  runtime.commit([
    changeOf("comments", newComment, null),
    changeOf("issues", newIssue, null),
    changeOf("users", newUser, null),
  ]);
}

for (const [name, query] of Object.entries(queries)) {
  test(`equal live queries share what they hold, and nothing is left after the last listener: ${name}`, async () => {
    const runtime = open(60);
    const workOf = (run: () => unknown): number => {
      const before = runtime.work.rows;
      run();
      return runtime.work.rows - before;
    };
    const hear = () => listen(runtime, structuredClone(query.ast));
    // Indexes stay, once they are made.
    const first = hear();
    comeAndGo(runtime);
    const alone = workOf(() => comeAndGo(runtime));
    let second = first;
    expect(workOf(() => (second = hear()))).toBe(0);
    expect(second.last()).toBe(first.last());
    expect(workOf(() => comeAndGo(runtime))).toBe(alone);
    first.leave();
    await Promise.resolve();
    expect(workOf(() => comeAndGo(runtime))).toBe(alone);
    second.leave();
    await Promise.resolve();
    const idle = workOf(() => comeAndGo(runtime));
    expect(idle).toBeLessThanOrEqual(alone);
    // Who comes back finds nothing, tables of subqueries included.
    const fromNothing = workOf(() => runtime.select(query.ast));
    expect(fromNothing).toBeGreaterThan(0);
    expect(workOf(() => (second = hear()))).toBe(fromNothing);
    second.leave();
    await Promise.resolve();
    expect(workOf(() => comeAndGo(runtime))).toBe(idle);
  });

  test(`a commit is heard once, whatever it changes, and not at all where it changes nothing: ${name}`, () => {
    const runtime = open();
    const { rows, deltas, last } = listen(runtime, query);
    const before = last();
    runtime.commit([
      changeOf("users", user(1), user(1, "Ann")),
      changeOf("users", null, user(7)),
      changeOf("users", null, user(8)),
      changeOf("issues", issue(1), issue(1, { authorId: "u7", points: 100 })),
      changeOf("issues", issue(2), null),
      changeOf("issues", null, issue(50)),
      changeOf("comments", comment(2), comment(2, { issueId: "i50" })),
      changeOf("comments", comment(3), null),
      changeOf("comments", comment(9), null),
    ]);
    expect([rows.length, deltas.length]).toEqual([2, 2]);
    expect(last()).toEqual(runtime.select(query.ast));
    expect(last()).not.toEqual(before);
    const now = last();
    runtime.commit([changeOf("comments", null, comment(70, { issueId: "none" }))]);
    runtime.commit([
      changeOf("issues", null, issue(80, { id: "gone" })),
      changeOf("issues", issue(80, { id: "gone" }), null),
    ]);
    runtime.commit([]);
    expect([rows.length, deltas.length]).toEqual([2, 2]);
    expect(last()).toBe(now);
  });

  test(`rows that a commit leaves as they are stay the same objects: ${name}`, () => {
    const runtime = open();
    const { deltas, last } = listen(runtime, query);
    const before = last();
    runtime.commit([
      changeOf("issues", issue(4), issue(4, { title: "Other", points: 40 })),
      changeOf("comments", comment(5), comment(5, { at: 55 })),
    ]);
    const texts = new Map(before.map((row) => [textOf(row), row]));
    for (const row of last()) expect(texts.get(textOf(row)) ?? row).toBe(row);
    // Whoever replays the deltas has the rows, and the very same.
    let replayed: ResultRow[] = [];
    for (const { added, removed, changed } of deltas) {
      const gone = new Set([...removed, ...changed.map((change) => change.before)]);
      expect([...gone].every((row) => replayed.includes(row))).toBe(true);
      replayed = [...replayed.filter((row) => !gone.has(row)), ...added, ...changed.map((change) => change.after)];
    }
    expect(new Set(replayed)).toEqual(new Set(last()));
    expect(replayed.every((row) => last().includes(row))).toBe(true);
  });
}

/** A row as text, by which equal ones are found. */
const textOf = (row: ResultRow): string => JSON.stringify(row);

test("nested rows and lists that a commit leaves as they are stay the same objects", () => {
  const runtime = open();
  const { last } = listen(runtime, queries["nested"]!);
  const nestedOf = (row: ResultRow | undefined) => row?.["issues"] as readonly ResultRow[];
  const before = last();
  // A comment of issue 1, which is of user 1.
  runtime.commit([changeOf("comments", comment(7), comment(7, { at: 70 }))]);
  const after = last();
  expect(after.map((row, i) => row === before[i])).toEqual([true, false, true, true]);
  const changed = nestedOf(after[1]).filter((row) => !nestedOf(before[1]).includes(row));
  expect(changed.map((row) => row["id"])).toEqual(["i1"]);
  // The user's own change leaves the list of issues alone.
  runtime.commit([changeOf("users", user(1), user(1, "Ann"))]);
  expect(last()[1]).toMatchObject({ name: "Ann" });
  expect(nestedOf(last()[1])).toBe(nestedOf(after[1]));
});

test("changes of several tables in one commit are never seen half-applied", () => {
  const runtime = open();
  const seen: string[] = [];
  // Every issue has an author and every author an issue, before and after; the sum of points stays.
  const check = (rows: readonly ResultRow[], what: string) => seen.push(`${what} ${rows.length}`);
  const orphans = db
    .select()
    .from(issues)
    .where(notExists(select().from(users).where(eq(users.id, issues.authorId))));
  const pairs = db.select().from(issues).innerJoin(users).orderBy(asc(issues.id));
  const totals = db.select({ n: count(), top: max(issues.points) }).from(issues);
  runtime.live(orphans.ast).subscribe((rows) => check(rows, "orphans"));
  runtime.live(pairs.ast).subscribe((rows) => {
    check(rows, "pairs");
    check(runtime.select(orphans.ast), "orphans in pairs");
    expect(runtime.select(totals.ast)[0]?.["n"]).toBe(rows.length);
  });
  const nested = db.select().from(users).include({ issues: ofUser });
  runtime.live(nested.ast).subscribe((rows) => {
    const nestedCount = rows.reduce((sum, row) => sum + (row["issues"] as readonly ResultRow[]).length, 0);
    expect(nestedCount).toBe(runtime.select(pairs.ast).length);
  });
  seen.length = 0;
  runtime.commit([
    changeOf("issues", null, issue(30, { authorId: "u30" })),
    changeOf("issues", issue(0), issue(0, { authorId: "u31" })),
    changeOf("users", null, user(30)),
    changeOf("users", null, user(31)),
  ]);
  expect(seen).toEqual(["pairs 13", "orphans in pairs 0"]);
  seen.length = 0;
  runtime.commit([
    changeOf("users", user(30), null),
    changeOf("issues", issue(30, { authorId: "u30" }), null),
    changeOf("issues", issue(0, { authorId: "u31" }), issue(0)),
    changeOf("users", user(31), null),
  ]);
  expect(seen).toEqual(["pairs 12", "orphans in pairs 0"]);
});
