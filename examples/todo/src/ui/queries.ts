// Owns: the live queries of the app, but for the window of todos on screen (todo-window.ts). None hands a list's todos to React as
// a whole: what is counted is counted by the query.
import { and, asc, count, eq, exists, like, notExists, select } from "plasma-sync";
import { useLiveQuery, useLiveQueryResult } from "plasma-sync/react";
import { useMemo } from "react";
import { inMyLists, lists, members, ticks, todos } from "../schema.ts";

export const FILTERS = ["all", "open", "done"] as const;
export type Filter = (typeof FILTERS)[number];

/** Which todos of a list are shown. */
export interface TodoChoice {
  readonly listId: string;
  readonly filter: Filter;
  readonly search: string;
}

const LIKE_BYTES_MAX = 50;

/** Every list that the person is in, oldest first. By the rule that the server asks, so that a list left offline goes at once. */
export function useLists(userId: string) {
  return useLiveQueryResult(
    (db) => db.select().from(lists).where(inMyLists({ userId }, lists.id)).orderBy(asc(lists.createdAt)),
    [userId],
  );
}

/** List id → the people who are in it, its owner first. */
export function useMembers(): ReadonlyMap<string, readonly string[]> {
  const rows = useLiveQuery((db) => db.select().from(members).orderBy(asc(members.addedAt)));
  return useMemo(() => {
    const byList = new Map<string, string[]>();
    for (const { listId, userId } of rows) {
      const people = byList.get(listId);
      if (people === undefined) byList.set(listId, [userId]);
      else people.push(userId);
    }
    return byList;
  }, [rows]);
}

/** How many todos of a list pass each filter. */
export type Counts = Readonly<Record<Filter, number>>;

/** List id → its counts; null until they are known. */
export function useCounts(): ReadonlyMap<string, Counts> | null {
  const all = useLiveQueryResult((db) =>
    db.select({ listId: todos.listId, count: count() }).from(todos).groupBy(todos.listId),
  );
  const done = useLiveQueryResult((db) =>
    db
      .select({ listId: todos.listId, count: count() })
      .from(ticks)
      .innerJoin(todos, eq(todos.id, ticks.todoId))
      .groupBy(todos.listId),
  );
  return useMemo(() => {
    if (all.status === "loading" || done.status === "loading") return null;
    const doneByList = new Map(done.rows.map((row) => [row.listId, row.count]));
    return new Map(
      all.rows.map((row) => {
        const doneCount = doneByList.get(row.listId) ?? 0;
        return [row.listId, { all: row.count, open: row.count - doneCount, done: doneCount }];
      }),
    );
  }, [all, done]);
}

export const NO_TODOS: Counts = { all: 0, open: 0, done: 0 };

/** The condition that a todo is in the list and passes filter and search. */
export function isChosen({ listId, filter, search }: TodoChoice) {
  return and(eq(todos.listId, listId), passes(filter), matches(search));
}

function passes(filter: Filter) {
  if (filter === "all") return undefined;
  const tick = select().from(ticks).where(eq(ticks.id, todos.id));
  return filter === "open" ? notExists(tick) : exists(tick);
}

function matches(search: string) {
  const words = search.trim().replace(/[\\%_]/g, "\\$&");
  return words === "" ? undefined : like(todos.title, `%${withinBytes(words, LIKE_BYTES_MAX - 2)}%`);
}

/** The longest beginning of `text` that is no longer than `bytesMax` in UTF-8 and leaves no half escape. */
function withinBytes(text: string, bytesMax: number): string {
  let kept = "";
  let sizeBytes = 0;
  for (const part of text.match(/\\?./gsu) ?? []) {
    sizeBytes += new TextEncoder().encode(part).length;
    if (sizeBytes > bytesMax) break;
    kept += part;
  }
  return kept;
}
