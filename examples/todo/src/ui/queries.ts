// Owns: the live queries of the app.
import { and, asc, desc, eq, isNotNull, isNull, like } from "plasma-sync";
import { useLiveQuery, useLiveQueryResult } from "plasma-sync/react";
import { useMemo } from "react";
import { inMyLists, lists, members, ticks, todos } from "../schema.ts";

export const FILTERS = ["all", "open", "done"] as const;
export type Filter = (typeof FILTERS)[number];

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

/** List id → how many of its todos are open. */
export function useOpenCounts(): ReadonlyMap<string, number> {
  const open = useLiveQuery((db) =>
    db.select({ listId: todos.listId }).from(todos).leftJoin(ticks, eq(ticks.todoId, todos.id)).where(isNull(ticks.id)),
  );
  return useMemo(() => {
    const counts = new Map<string, number>();
    for (const { listId } of open) counts.set(listId, (counts.get(listId) ?? 0) + 1);
    return counts;
  }, [open]);
}

/** How many todos of a list there are in each filter. */
export function useFilterCounts(listId: string): Readonly<Record<Filter, number>> {
  const rows = useLiveQuery(
    (db) =>
      db
        .select({ id: todos.id, tickId: ticks.id })
        .from(todos)
        .leftJoin(ticks, eq(ticks.todoId, todos.id))
        .where(eq(todos.listId, listId)),
    [listId],
  );
  return useMemo(() => {
    const done = rows.filter((row) => row.tickId !== null).length;
    return { all: rows.length, open: rows.length - done, done };
  }, [rows]);
}

/** The todos of a list that pass filter and search, newest first, each with its tick. */
export function useTodos(listId: string, filter: Filter, search: string) {
  return useLiveQueryResult(
    (db) =>
      db
        .select()
        .from(todos)
        .leftJoin(ticks, eq(ticks.todoId, todos.id))
        .where(and(eq(todos.listId, listId), passes(filter), matches(search)))
        .orderBy(desc(todos.createdAt)),
    [listId, filter, search],
  );
}
export type TodoWithTick = ReturnType<typeof useTodos>["rows"][number];

function passes(filter: Filter) {
  if (filter === "all") return undefined;
  return filter === "open" ? isNull(ticks.id) : isNotNull(ticks.id);
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
