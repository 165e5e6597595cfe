import { expect, test } from "vitest";
import { count, countDistinct, max, min, sum } from "../../core/query/aggregates.ts";
import type { SelectNode } from "../../core/query/ast.ts";
import { colRef } from "../../core/query/column-node.ts";
import { createDb } from "../../core/query/db.ts";
import { asc, desc, eq, exists, gt, inArray, isNull, like, notExists } from "../../core/query/expressions.ts";
import { notInArray } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { boolean, id, int, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { createQueryRuntime } from "./create-query-runtime.ts";
import type { QueryRuntime } from "./query-runtime.ts";

// As work.test.ts, for every operator: a change of one row costs what it changes, however many rows there are. Each
// case adds, updates and removes one row and says how often its listener hears of that.
const projects = table("projects", { id: id(), name: text() });
const users = table("users", { id: id(), name: text() });
const issues = table(
  "issues",
  {
    id: id(),
    open: boolean(),
    projectId: ref(() => projects.id),
    authorId: ref(() => users.id).nullable(),
    label: text(),
    points: int(),
    created: int(),
  },
  { indexes: (t) => [[t.label]] },
);
const comments = table("comments", { id: id(), issueId: ref(() => issues.id), body: text(), at: int() });
const schema = defineSchema({ projects, users, issues, comments });
const db = createDb({ schema, engine: { select: () => Promise.resolve([]), write: () => Promise.resolve() } });

const ISSUES = 100_000;
const issue = (n: number): Row => ({
  id: `i${n}`,
  open: n % 2 === 0,
  projectId: `p${n % 100}`,
  authorId: n % 10 === 9 ? null : `u${n % 20_000}`,
  label: `l${n % 10_000}`,
  points: n % 13,
  created: n,
});
// Two comments for each issue of an even number, all others have none.
const comment = (n: number): Row => ({ id: `c${n}`, issueId: `i${(n * 2) % ISSUES}`, body: "so", at: n });
const list = (length: number, make: (n: number) => Row): Row[] => Array.from({ length }, (_, n) => make(n));

/** A runtime with `size` issues and comments, and a fifth as many users. */
function open(size: number) {
  const runtime = createQueryRuntime({ schema });
  runtime.fill(
    "projects",
    list(100, (n) => ({ id: `p${n}`, name: `Project ${n}` })),
  );
  runtime.fill(
    "users",
    list(size / 5, (n) => ({ id: `u${n}`, name: `User ${n}` })),
  );
  runtime.fill("issues", list(size, issue));
  runtime.fill("comments", list(size, comment));
  runtime.setStatus("complete");
  return runtime;
}

const newest = db.select().from(issues).orderBy(desc(issues.created), asc(issues.id));
const ofIssue = select().from(comments).where(eq(comments.issueId, issues.id));
const ofUser = select().from(issues).where(eq(issues.authorId, users.id));
const ofProject = select().from(issues).where(eq(issues.projectId, projects.id));
const named = (pattern: string) => select({ id: users.id }).from(users).where(like(users.name, pattern));
const byLabel = select({
  label: issues.label,
  n: count(),
  points: sum(issues.points),
  first: min(issues.created),
  last: max(issues.created),
  authors: countDistinct(issues.authorId),
})
  .from(issues)
  .groupBy(issues.label);
const labels = db
  .select({
    label: issues.label,
    n: count(),
    points: sum(issues.points),
    first: min(issues.created),
    last: max(issues.created),
    authors: countDistinct(issues.authorId),
  })
  .from(issues)
  .groupBy(issues.label);

/** A row that comes, changes and goes. */
interface Life {
  readonly table: string;
  readonly added: Row;
  readonly updated: Row;
}
// First of all issues by `created`, then 25 places down; of user 0, project 0, label 7; the issue it is like has both.
const anIssue = issueLife({});
function issueLife(values: Row, later: Row = {}): Life {
  const added = { ...issue(0), id: "new", created: ISSUES + 7, label: "l7", ...values };
  return { table: "issues", added, updated: { ...added, created: ISSUES - 25, points: 40, ...later } };
}
// From an issue that has comments to one that has none.
const aComment: Life = {
  table: "comments",
  added: { id: "new", issueId: "i99998", body: "so", at: -1 },
  updated: { id: "new", issueId: "i99999", body: "so", at: -2 },
};
const firstComment: Life = {
  ...aComment,
  added: aComment.updated,
  updated: { ...aComment.updated, issueId: "i99997" },
};
const aUser: Life = {
  table: "users",
  added: { id: "new", name: "User 19" },
  updated: { id: "new", name: "User 20" },
};

interface Case {
  readonly query: SelectNode;
  readonly life: Life;
  /** How many of the three changes are heard of. */
  readonly heard: number;
  /** Where more than 40 are the output. */
  readonly most?: number;
}

const cases: Record<string, Case> = {
  "a limit: at its first row": { query: newest.limit(20).ast, life: anIssue, heard: 2 },
  "a limit: behind its edge": {
    query: newest.limit(20).ast,
    life: issueLife({ created: 500 }, { created: 400 }),
    heard: 0,
  },
  "a limit: into it and out of it": {
    query: newest.limit(20).ast,
    life: issueLife({ created: 500 }, { created: ISSUES + 1 }),
    heard: 2,
  },
  "an offset: before it": {
    query: newest.offset(10).limit(10).ast,
    life: issueLife({}, { created: ISSUES + 9 }),
    heard: 2,
  },
  "an offset: across it": { query: newest.offset(10).limit(10).ast, life: anIssue, heard: 2 },
  "an offset: at its last row": {
    query: newest.offset(10).limit(10).ast,
    life: issueLife({ created: ISSUES - 19 }, { created: ISSUES - 18 }),
    heard: 3,
  },
  "an offset without a limit": {
    query: newest.where(eq(issues.projectId, "p0")).offset(900).ast,
    life: anIssue,
    heard: 2,
  },
  "a cursor": {
    query: newest.after(issue(ISSUES - 10) as never).limit(20).ast,
    life: anIssue,
    heard: 2,
  },
  "an inner join": { query: newest.innerJoin(users).ast, life: anIssue, heard: 3 },
  "an inner join of a user": { query: newest.innerJoin(users).ast, life: aUser, heard: 0 },
  "a left join": { query: newest.leftJoin(users).limit(30).ast, life: anIssue, heard: 3 },
  "a left join of nobody": { query: newest.leftJoin(users).ast, life: issueLife({ authorId: null }), heard: 3 },
  "a right join": { query: db.select().from(issues).rightJoin(users).ast, life: anIssue, heard: 3 },
  "a right join of a user": { query: db.select().from(issues).rightJoin(users).ast, life: aUser, heard: 3 },
  "a full join": { query: db.select().from(users).fullJoin(issues).ast, life: anIssue, heard: 3 },
  "a full join of nobody": {
    query: db.select().from(users).fullJoin(issues).ast,
    life: issueLife({ authorId: null }, { authorId: "u3" }),
    heard: 3,
  },
  "a full join of a user": { query: db.select().from(users).fullJoin(issues).ast, life: aUser, heard: 3 },
  "a right join behind a limit": {
    query: db.select().from(issues).rightJoin(users).where(isNull(issues.id)).orderBy(asc(users.name)).limit(10).ast,
    life: { table: "users", added: { id: "new", name: "User 0" }, updated: { id: "new", name: "User 1" } },
    heard: 3,
  },
  "three joined": {
    query: db.select().from(comments).innerJoin(issues).innerJoin(users, eq(users.id, issues.authorId)).ast,
    life: aComment,
    heard: 2,
  },
  exists: { query: db.select().from(issues).where(exists(ofIssue)).ast, life: firstComment, heard: 3 },
  "exists of one of several": { query: db.select().from(issues).where(exists(ofIssue)).ast, life: aComment, heard: 2 },
  "exists in a limit": { query: newest.where(exists(ofIssue)).limit(20).ast, life: firstComment, heard: 3 },
  "exists of the row itself": { query: newest.where(exists(ofIssue)).limit(20).ast, life: anIssue, heard: 0 },
  notExists: { query: db.select().from(issues).where(notExists(ofIssue)).ast, life: firstComment, heard: 3 },
  "notExists of the row itself": { query: newest.where(notExists(ofIssue)).ast, life: anIssue, heard: 3 },
  "exists in exists": {
    query: db
      .select()
      .from(users)
      .where(exists(ofUser.where(exists(ofIssue.where(eq(comments.at, -1)))))).ast,
    life: aComment,
    heard: 2,
    // The user's five issues and their ten comments.
    most: 60,
  },
  groups: { query: labels.ast, life: anIssue, heard: 3 },
  "groups of their own": { query: labels.ast, life: issueLife({ label: "other" }, { label: "another" }), heard: 3 },
  "groups: the least of them goes": { query: labels.ast, life: issueLife({ created: -5 }, { created: -6 }), heard: 3 },
  "groups in order": { query: labels.orderBy(desc(count()), asc(issues.label)).limit(10).ast, life: anIssue, heard: 3 },
  "large groups": {
    query: db
      .select({ open: issues.open, first: min(issues.created), n: count() })
      .from(issues)
      .groupBy(issues.open).ast,
    life: issueLife({ created: -5 }, { created: -6, open: false }),
    heard: 3,
  },
  "one group of all": {
    query: db.select({ n: count(), first: min(issues.created), last: max(issues.created) }).from(issues).ast,
    life: issueLife({ created: -5 }, { created: ISSUES + 9 }),
    heard: 3,
  },
  "groups of joined rows": {
    query: db
      .select({ id: users.id, n: count(issues.id) })
      .from(users)
      .leftJoin(issues)
      .groupBy(users.id).ast,
    life: issueLife({}, { authorId: "u3" }),
    heard: 3,
  },
  having: { query: labels.having(gt(count(), 10)).ast, life: anIssue, heard: 3 },
  "having: not reached": { query: labels.having(gt(count(), 20)).ast, life: anIssue, heard: 0 },
  distinct: { query: db.select({ label: issues.label }).from(issues).distinct().ast, life: anIssue, heard: 0 },
  "distinct: a new one": {
    query: db.select({ label: issues.label, open: issues.open }).from(issues).distinct().ast,
    life: issueLife({ label: "other" }, { label: "another" }),
    heard: 3,
  },
  include: {
    query: db
      .select()
      .from(projects)
      .include({ latest: ofProject.orderBy(desc(issues.created)).limit(3) }).ast,
    life: anIssue,
    heard: 3,
  },
  "include: behind the edge": {
    query: db
      .select()
      .from(projects)
      .include({ latest: ofProject.orderBy(desc(issues.created)).limit(3) }).ast,
    life: issueLife({ created: 77 }, { created: 78 }),
    heard: 0,
  },
  "include: from one row to another": {
    query: db
      .select()
      .from(projects)
      .include({ latest: ofProject.orderBy(desc(issues.created)).limit(3) }).ast,
    life: issueLife({}, { created: ISSUES + 8, projectId: "p1" }),
    heard: 3,
  },
  "include: a count": {
    query: db
      .select()
      .from(projects)
      .include({ stats: select({ n: count() }).from(issues).where(eq(issues.projectId, projects.id)).one() }).ast,
    life: issueLife({}, { projectId: "p1" }),
    heard: 3,
  },
  "include: one": {
    query: newest.limit(20).include({ author: select().from(users).where(eq(users.id, issues.authorId)).one() }).ast,
    life: anIssue,
    heard: 2,
  },
  "include: two deep": {
    query: db
      .select()
      .from(users)
      .orderBy(asc(users.id))
      .limit(20)
      .include({ issues: ofUser.include({ comments: ofIssue }) }).ast,
    life: { table: "comments", added: { ...comment(0), id: "new" }, updated: { ...comment(0), id: "new", at: -1 } },
    heard: 3,
  },
  "include: two deep, the row between": {
    query: db
      .select()
      .from(users)
      .orderBy(asc(users.id))
      .limit(20)
      .include({ issues: ofUser.include({ comments: ofIssue }) }).ast,
    life: issueLife({}, { authorId: "u1" }),
    heard: 3,
  },
  "groups in FROM": {
    query: db
      .select()
      .fromSubquery(byLabel, "l")
      .where(gt(colRef("l", "n"), 10)).ast,
    life: anIssue,
    heard: 3,
  },
  "groups in FROM: in order": {
    query: db
      .select()
      .fromSubquery(byLabel, "l")
      .orderBy(desc(colRef("l", "points")))
      .limit(5).ast,
    life: issueLife({ points: 5000 }, { points: 6000 }),
    heard: 3,
  },
  "groups in FROM: grouped again": {
    query: db
      .select({ n: colRef<number>("l", "n"), labels: count() })
      .fromSubquery(byLabel, "l")
      .groupBy(colRef("l", "n")).ast,
    life: anIssue,
    heard: 2,
  },
  "groups in FROM: joined": {
    query: db
      .select()
      .fromSubquery(select({ authorId: issues.authorId, n: count() }).from(issues).groupBy(issues.authorId), "perUser")
      .innerJoin(users, eq(users.id, colRef("perUser", "authorId"))).ast,
    life: issueLife({}, { authorId: "u3" }),
    heard: 3,
  },
  "a limit in FROM": {
    query: db
      .select()
      .fromSubquery(newest.limit(20), "latest")
      .where(eq(colRef("latest", "open"), true)).ast,
    life: anIssue,
    heard: 2,
  },
};

const memberships: Record<string, Case> = {
  "inArray of a select": {
    query: db
      .select()
      .from(issues)
      .where(inArray(issues.authorId, named("%7"))).ast,
    life: issueLife({ authorId: "u7" }, { authorId: "u6" }),
    heard: 2,
  },
  "inArray of a select: a row of it": {
    query: db
      .select()
      .from(issues)
      .where(inArray(issues.authorId, named("User 20"))).ast,
    life: { ...aUser, added: { id: "u20", name: "User 19" }, updated: { id: "u20", name: "User 20" } },
    heard: 2,
  },
  "notInArray of a select": {
    query: db
      .select()
      .from(issues)
      .where(notInArray(issues.authorId, named("%7"))).ast,
    life: issueLife({ authorId: "u7" }, { authorId: "u6" }),
    heard: 2,
  },
};

const large = open(ISSUES);
for (const [name, sample] of Object.entries({ ...cases, ...memberships })) {
  test(`${name}: one row's coming, change and going costs what it changes`, () => measure(large, sample));
}

test("notInArray of a select: a row of it that nobody has costs what it changes", () => {
  const query = db
    .select()
    .from(issues)
    .where(notInArray(issues.authorId, named("%9"))).ast;
  return measure(open(500), { query, life: aUser, heard: 0 });
});

async function measure(runtime: QueryRuntime, { query, life, heard, most = 40 }: Case): Promise<void> {
  let deliveries = 0;
  const leave = runtime.live(query).subscribeDelta(() => (deliveries += 1));
  const rowID = life.added["id"] as string;
  const stored = runtime.source(life.table).get(rowID) ?? null;
  const commit = (before: Row | null, after: Row | null): number => {
    const start = runtime.work.rows;
    runtime.commit([{ table: life.table, id: rowID, before, after }]);
    return runtime.work.rows - start;
  };
  // Builds what the first change needs.
  commit(stored, life.added);
  commit(life.added, stored);
  deliveries = 0;
  const touched = [commit(stored, life.added), commit(life.added, life.updated), commit(life.updated, stored)];
  leave();
  await Promise.resolve();
  expect.soft(Math.max(...touched), `touched ${touched.join(", ")}`).toBeLessThanOrEqual(most);
  expect(deliveries).toBe(heard);
}
