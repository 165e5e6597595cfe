// Owns: the code of queries.md, as a program: each block there is a region here, in the same order. The compiler checks it,
// and test/docs runs it.

// #region schema
import {
  alias,
  and,
  asc,
  avg,
  between,
  colRef,
  count,
  countDistinct,
  defineSchema,
  desc,
  eq,
  exists,
  gt,
  gte,
  id,
  inArray,
  increment,
  int,
  isNotNull,
  isNull,
  like,
  lt,
  max,
  min,
  ne,
  not,
  notExists,
  notInArray,
  or,
  ref,
  select,
  sum,
  table,
  text,
  timestamp,
  type Db,
  type Expr,
} from "plasma-sync/core";

export const users = table("users", { id: id(), name: text(), email: text().unique() });
export const issues = table(
  "issues",
  {
    id: id(),
    title: text(),
    state: text({ enum: ["open", "done"] }).default("open"),
    points: int().nullable(),
    createdAt: timestamp(),
    authorId: ref(() => users.id),
    reviewerId: ref(() => users.id, { onDelete: "setNull" }).nullable(),
  },
  { indexes: (t) => [[t.state, t.createdAt]] },
);
export const comments = table("comments", {
  id: id(),
  issueId: ref(() => issues.id, { onDelete: "cascade" }),
  userId: ref(() => users.id),
  body: text(),
  at: timestamp(),
});
export const schema = defineSchema({ users, issues, comments });
// #endregion

export const examples = {
  async all(db: Db) {
    // #region
    const open = await db.select().from(issues).where(eq(issues.state, "open"));
    const titles = await db.select({ title: issues.title, made: issues.createdAt }).from(issues);
    // #endregion
    return [open.map((row) => row.id), titles[0]];
  },

  async one(db: Db) {
    // #region
    const ada = await db.select().from(users).where(eq(users.email, "ada@example.org")).one();
    const name = ada?.name ?? "somebody";
    // #endregion
    return [ada, name];
  },

  async conditions(db: Db) {
    // #region
    const some = await db
      .select()
      .from(issues)
      .where(
        and(
          or(gt(issues.points, 2), isNull(issues.points)),
          like(issues.title, "fix %"),
          inArray(issues.authorId, ["ada", "bob"]),
          not(between(issues.createdAt, 5_000, 9_000)),
          isNotNull(issues.reviewerId),
          ne(issues.authorId, issues.reviewerId),
        ),
      );
    // #endregion
    return some.map((row) => row.id);
  },

  async optional(db: Db) {
    // #region
    const search = (words: { title?: string; state?: "open" | "done" }) =>
      db
        .select()
        .from(issues)
        .where(words.title === undefined ? undefined : like(issues.title, `%${words.title}%`))
        .where(words.state === undefined ? undefined : eq(issues.state, words.state));
    // #endregion
    const [every, done] = [await search({}), await search({ title: "FIX", state: "done" })];
    return [every.length, done.map((row) => row.id)];
  },

  async join(db: Db) {
    // #region
    const said = await db.select().from(comments).innerJoin(issues).where(eq(issues.state, "open"));
    const lines = said.map((row) => `${row.issues.title}: ${row.comments.body}`);
    // #endregion
    return lines;
  },

  async twice(db: Db) {
    // #region
    const author = alias(users, "author");
    const reviewer = alias(users, "reviewer");
    const people = await db
      .select({ title: issues.title, by: author.name, checkedBy: reviewer.name }) // checkedBy: string | null
      .from(issues)
      .innerJoin(author, eq(author.id, issues.authorId))
      .leftJoin(reviewer, eq(reviewer.id, issues.reviewerId))
      .orderBy(asc(issues.title));
    // #endregion
    return people;
  },

  async outer(db: Db) {
    // #region
    const everyone = await db
      .select({ name: users.name, title: issues.title })
      .from(issues)
      .rightJoin(users, eq(users.id, issues.authorId));
    const pairs = await db
      .select()
      .from(issues)
      .fullJoin(users, and(eq(users.id, issues.reviewerId), eq(issues.state, "open")))
      .where(or(isNull(issues.id), isNull(users.id)));
    // #endregion
    return [everyone.length, pairs.map((row) => [row.issues?.id ?? null, row.users?.id ?? null])];
  },

  async groups(db: Db) {
    // #region
    const perAuthor = await db
      .select({
        authorId: issues.authorId,
        n: count(),
        estimated: count(issues.points),
        reviewers: countDistinct(issues.reviewerId),
        points: sum(issues.points),
        mean: avg(issues.points),
        first: min(issues.createdAt),
        last: max(issues.createdAt),
      })
      .from(issues)
      .groupBy(issues.authorId)
      .having(gte(count(), 2))
      .orderBy(desc(sum(issues.points)));
    // #endregion
    return perAuthor;
  },

  async total(db: Db) {
    // #region
    const all = await db
      .select({ n: count(), points: sum(issues.points) })
      .from(issues)
      .where(eq(issues.authorId, "nobody"))
      .one();
    // #endregion
    return all;
  },

  async distinct(db: Db) {
    // #region
    const states = await db.select({ state: issues.state }).from(issues).distinct();
    // #endregion
    return states;
  },

  async pages(db: Db) {
    // #region
    const newest = db.select().from(issues).orderBy(desc(issues.createdAt));
    const second = await newest.limit(20).offset(20);
    // #endregion
    return second.length;
  },

  async cursor(db: Db) {
    const newest = db.select().from(issues).orderBy(desc(issues.createdAt));
    // #region
    const page = await newest.limit(3);
    const last = page.at(-1);
    const next = last === undefined ? [] : await newest.after(last).limit(3);
    // #endregion
    return [page.map((row) => row.id), next.map((row) => row.id)];
  },

  async exists(db: Db) {
    // #region
    const ofIssue = select().from(comments).where(eq(comments.issueId, issues.id));
    const discussed = await db.select().from(issues).where(exists(ofIssue));
    const silent = await db.select().from(issues).where(notExists(ofIssue));
    // #endregion
    return [discussed.map((row) => row.id), silent.map((row) => row.id)];
  },

  async among(db: Db) {
    // #region
    const staff = select({ id: users.id }).from(users).where(like(users.email, "%@example.org"));
    const inside = await db.select().from(issues).where(inArray(issues.authorId, staff));
    const outside = await db.select().from(issues).where(notInArray(issues.authorId, staff));
    // #endregion
    return [inside.length, outside.map((row) => row.id)];
  },

  async rule() {
    // #region
    const mayRead = (userId: string): Expr =>
      or(
        eq(issues.authorId, userId),
        exists(
          select()
            .from(comments)
            .where(and(eq(comments.issueId, issues.id), eq(comments.userId, userId))),
        ),
      );
    // #endregion
    return mayRead("ada").type;
  },

  async derived(db: Db) {
    // #region
    const perAuthor = select({ authorId: issues.authorId, n: count() }).from(issues).groupBy(issues.authorId);
    const busy = await db
      .select({ name: users.name, n: colRef<number>("totals", "n") })
      .fromSubquery(perAuthor, "totals")
      .innerJoin(users, eq(users.id, colRef("totals", "authorId")))
      .where(gt(colRef("totals", "n"), 1))
      .orderBy(desc(colRef("totals", "n")));
    // #endregion
    return busy;
  },

  async nested(db: Db) {
    // #region
    const list = await db
      .select()
      .from(issues)
      .where(eq(issues.state, "open"))
      .include({
        author: select().from(users).where(eq(users.id, issues.authorId)).one(),
        latest: select()
          .from(comments)
          .where(eq(comments.issueId, issues.id))
          .orderBy(desc(comments.at))
          .limit(2)
          .include({ user: select().from(users).where(eq(users.id, comments.userId)).one() }),
        talk: select({ n: count() }).from(comments).where(eq(comments.issueId, issues.id)).one(),
      });
    const lines = list.map((row) => `${row.title}, ${row.author?.name}: ${row.latest.length} of ${row.talk?.n}`);
    // #endregion
    return lines;
  },

  async live(db: Db) {
    const seen: string[][] = [];
    const show = (titles: string[]) => void seen.push(titles);
    // #region
    const live = db.select().from(issues).where(eq(issues.state, "open")).orderBy(issues.title).live();
    const stop = live.subscribe((rows) => show(rows.map((row) => row.title)));
    await db.update(issues).set({ title: "Fix the tap" }).where(eq(issues.id, "i1"));
    await db.update(issues).set({ title: "Not shown: this one is done" }).where(eq(issues.id, "i3"));
    stop();
    // #endregion
    return seen;
  },

  async deltas(db: Db) {
    const drawn = new Map<string, string>();
    // #region
    const stop = db
      .select()
      .from(issues)
      .live()
      .subscribeDelta(({ added, removed, changed }) => {
        for (const row of removed) drawn.delete(row.id);
        for (const row of added) drawn.set(row.id, row.title);
        for (const { after } of changed) drawn.set(after.id, after.title);
      });
    // #endregion
    await db.delete(issues).where(ne(issues.id, "i1"));
    await db.update(issues).set({ title: "The last" }).where(eq(issues.id, "i1"));
    stop();
    return [...drawn];
  },

  async ready(db: Db) {
    // #region
    const live = db.select({ n: count() }).from(issues).live();
    const rows = await live.whenReady(); // live.status is "partial" or "complete" from here on
    const isFinal = live.status === "complete";
    // #endregion
    return [rows, isFinal];
  },

  async insert(db: Db) {
    // #region
    await db.insert(users).values({ name: "Eve", email: "eve@example.org" });
    await db
      .insert(users)
      .values([{ id: "ada", name: "Ada", email: "ada@example.org" }])
      .onConflictDoNothing();
    await db
      .insert(users)
      .values({ id: "bob", name: "Bob", email: "bob@example.com" })
      .onConflictDoUpdate({ set: { name: "Robert" } });
    // #endregion
    return (await db.select({ name: users.name }).from(users).orderBy(users.name)).map((row) => row.name);
  },

  async update(db: Db) {
    // #region
    await db
      .update(issues)
      .set({ points: increment(issues.points, 1) })
      .where(lt(issues.points, 3));
    await db.delete(comments).where(inArray(comments.issueId, select({ id: issues.id }).from(issues)));
    await db.update(issues).set({ state: "done" }).all();
    // #endregion
    return db.select({ state: issues.state, points: issues.points }).from(issues).distinct();
  },

  async explain(db: Db) {
    // #region
    const newest = db
      .select()
      .from(issues)
      .where(eq(issues.state, "open"))
      .orderBy(desc(issues.createdAt))
      .limit(2)
      .include({ author: select().from(users).where(eq(users.id, issues.authorId)).one() });
    const { steps, resultRows, rowsTouched } = newest.explain();
    // from issues: index on state asc, createdAt desc, id asc, read in order
    // include author: for each row that is shown
    //   from users: by id
    // #endregion
    return [steps, resultRows, rowsTouched];
  },
};
