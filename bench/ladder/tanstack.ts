// Owns: the ladder's views on TanStack DB. Rows come through a collection's sync, its way for rows that need no optimism,
// and indexed as serves it best: an index on `open` made both figures worse, so there is none. The author is joined by an
// inner join: a left join hydrates in a fifth of the time and maintains in five times of it. The listener reads the rows as
// an array at each change, as `useLiveQuery` does.

import {
  BTreeIndex,
  count,
  createCollection,
  createLiveQueryCollection,
  eq,
  Query,
  toArray,
  type Collection,
  type SyncConfig,
} from "@tanstack/db";
import { DETAIL_ID, type AnyRow, type Comment, type Issue, type TableName, type User } from "./dataset.ts";
import type { Engine, OpenView } from "./engine.ts";
import { LATEST, PAGE, type ViewName } from "./views.ts";

type Sync<T extends object> = Parameters<SyncConfig<T, string>["sync"]>[0];
type Write = (type: "insert" | "delete", rows: readonly AnyRow[]) => void;

interface Source<T extends object> {
  readonly collection: Collection<T, string>;
  readonly write: Write;
}

export const tanstack: Engine = {
  name: "TanStack DB",
  version: "0.15.2",
  lacks: () => null,
  start(data) {
    const users = sourceOf<User>("users", []);
    const issues = sourceOf<Issue>("issues", ["createdAt"]);
    const comments = sourceOf<Comment>("comments", ["issueId", "at"]);
    const sources: { readonly [table in TableName]: { readonly write: Write } } = { users, issues, comments };
    for (const table of Object.keys(sources) as TableName[]) sources[table].write("insert", data[table]);
    const collections = { users: users.collection, issues: issues.collection, comments: comments.collection };
    return {
      open: (view) => openView(collections, view),
      add: (table, row) => sources[table].write("insert", [row]),
      remove: (table, row) => sources[table].write("delete", [row]),
      async close() {
        for (const collection of Object.values(collections)) await collection.cleanup();
      },
    };
  },
};

function sourceOf<T extends AnyRow>(id: string, indexed: readonly (keyof T & string)[]): Source<T> {
  let sync: Sync<T> | undefined;
  const collection = createCollection<T, string>({
    id,
    getKey: (row) => row.id,
    startSync: true,
    gcTime: 0,
    sync: {
      rowUpdateMode: "full",
      sync(params) {
        sync = params;
        params.markReady();
      },
    },
  });
  for (const column of indexed)
    collection.createIndex((row) => (row as unknown as { readonly [column: string]: string })[column], {
      indexType: BTreeIndex,
    });
  const write: Write = (type, rows) => {
    sync?.begin();
    for (const row of rows) sync?.write({ type, value: row as T });
    void sync?.commit();
  };
  return { collection: collection as unknown as Collection<T, string>, write };
}

/** A ref inside another query: its own type fits no function under `exactOptionalPropertyTypes`. */
type IssueId = never;

interface Collections {
  readonly users: Collection<User, string>;
  readonly issues: Collection<Issue, string>;
  readonly comments: Collection<Comment, string>;
}

function openView({ users, issues, comments }: Collections, view: ViewName): OpenView {
  const open = () =>
    new Query()
      .from({ issue: issues })
      .where(({ issue }) => eq(issue.open, true))
      .orderBy(({ issue }) => issue.createdAt, "desc");
  const ofIssue = (id: IssueId) =>
    new Query()
      .from({ comment: comments })
      .where(({ comment }) => eq(comment.issueId, id))
      .orderBy(({ comment }) => comment.at, "desc");
  switch (view) {
    case "newest":
      return show(createLiveQueryCollection({ ...live, query: open().limit(PAGE) }), view);
    case "page2":
      return show(createLiveQueryCollection({ ...live, query: open().limit(PAGE).offset(PAGE) }), view);
    case "author": {
      const query = open()
        .innerJoin({ user: users }, ({ issue, user }) => eq(user.id, issue.authorId))
        .limit(PAGE)
        .select(({ issue, user }) => ({ ...issue, author: user }));
      return show(createLiveQueryCollection({ ...live, query }), view);
    }
    case "count": {
      const countOf = (id: IssueId) =>
        new Query()
          .from({ comment: comments })
          .where(({ comment }) => eq(comment.issueId, id))
          .select(({ comment }) => ({ n: count(comment.id) }));
      const query = open()
        .limit(PAGE)
        .select(({ issue }) => ({ ...issue, counts: toArray(countOf(issue.id as IssueId)) }));
      return show(createLiveQueryCollection({ ...live, query }), view);
    }
    case "latest": {
      const query = open()
        .limit(PAGE)
        .select(({ issue }) => ({ ...issue, comments: toArray(ofIssue(issue.id as IssueId).limit(LATEST)) }));
      return show(createLiveQueryCollection({ ...live, query }), view);
    }
    case "detail": {
      const query = new Query()
        .from({ issue: issues })
        .where(({ issue }) => eq(issue.id, DETAIL_ID))
        .select(({ issue }) => ({ ...issue, comments: toArray(ofIssue(issue.id as IssueId)) }));
      return show(createLiveQueryCollection({ ...live, query }), view);
    }
  }
}

const live = { startSync: true, gcTime: 0 } as const;

interface Live {
  readonly toArray: readonly object[];
  subscribeChanges(listener: () => void): { unsubscribe(): void };
  cleanup(): Promise<void>;
}

function show(collection: Live, view: ViewName): OpenView {
  let rows: readonly object[] = [];
  const subscription = collection.subscribeChanges(() => (rows = collection.toArray));
  rows = collection.toArray;
  return {
    rows: () => rows.map((row) => shapeOf(row, view)),
    async close() {
      subscription.unsubscribe();
      await collection.cleanup();
    },
  };
}

/** Without virtual properties, and with a count as `answerOf` has it. */
function shapeOf(row: object, view: ViewName): object {
  const plain = withoutVirtual(row) as { readonly counts?: readonly { readonly n: number }[] };
  if (view !== "count") return plain;
  const { counts, ...issue } = plain;
  return { ...issue, count: counts?.[0]?.n ?? 0 };
}

function withoutVirtual(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutVirtual);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (key.startsWith("$") ? [] : [[key, withoutVirtual(part)]])),
  );
}
