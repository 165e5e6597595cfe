// Owns: useLiveQuery and useLiveQueryResult, live queries as React state.
// Invariants:
//   1. The query is connected in a layout effect: rows that are already in memory show in the first paint.
//   2. Rows of one client are never shown under another: the store belongs to the client.

import { useLayoutEffect, useMemo, useReducer, useState, useSyncExternalStore, type DependencyList } from "react";
import type { Db } from "../core/query/db.ts";
import type { LiveQuery } from "../core/query/live-query.ts";
import { LiveQueryStore, LOADING, OFF, type LiveQueryResult } from "./live-query-store.ts";
import { usePlasma } from "./plasma-provider.tsx";
import type { AnyPlasmaClient } from "./register.ts";

/** A select, with or without `.live()`; null is off. */
export type LiveQueryFactory<R> = (db: Db) => LiveQuery<R> | { live(): LiveQuery<R> } | null | undefined;

/**
 * The rows of a query, kept up to date: `[]` before the first delivery, and while the factory gives null. The component
 * renders again only when a row or the order has changed. After a change of `deps` the rows before stay until the new
 * query has delivered.
 *
 * @throws PlasmaError `client/no-provider` outside of a provider, and `query/*` for a query that cannot be built.
 * @example
 * const open = useLiveQuery((db) => db.select().from(todos).where(eq(todos.listId, listId)), [listId]);
 */
export function useLiveQuery<R>(factory: LiveQueryFactory<R>, deps: DependencyList = []): readonly R[] {
  const { store, live } = useConnected(factory, deps);
  const rows = useSyncExternalStore(
    store.subscribe,
    () => store.result.rows,
    () => LOADING.rows,
  );
  return live === null ? OFF.rows : rows;
}

/**
 * Like `useLiveQuery`, with the query's status, so that an empty list and one that has not arrived can be told apart.
 *
 * @throws as `useLiveQuery`.
 * @example
 * const { rows, status } = useLiveQueryResult((db) => db.select().from(todos));
 * if (rows.length === 0 && status !== "complete") return <Skeleton />;
 */
export function useLiveQueryResult<R>(factory: LiveQueryFactory<R>, deps: DependencyList = []): LiveQueryResult<R> {
  const { store, live } = useConnected(factory, deps);
  const result = useSyncExternalStore<LiveQueryResult<R>>(
    store.subscribe,
    () => store.result,
    () => LOADING,
  );
  return live === null ? OFF : result;
}

interface Connected<R> {
  readonly store: LiveQueryStore<R>;
  readonly live: LiveQuery<R> | null;
}

function useConnected<R>(factory: LiveQueryFactory<R>, deps: DependencyList): Connected<R> {
  const client = usePlasma<AnyPlasmaClient>();
  const [owned, setOwned] = useState(() => ({ client, store: new LiveQueryStore<R>() }));
  const current = owned.client === client ? owned : { client, store: new LiveQueryStore<R>() };
  if (current !== owned) setOwned(current);
  // oxlint-disable-next-line react/exhaustive-deps -- the caller lists what the factory reads
  const live = useMemo(() => toLive(factory(client.db)), [client, ...deps]);
  const { store } = current;
  const [, renderAgain] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => {
    const before = store.result;
    const disconnect = store.connect(live);
    // At the mount `useSyncExternalStore` does not listen yet: it does so after the paint.
    if (store.result !== before) renderAgain();
    return disconnect;
  }, [store, live]);
  return { store, live };
}

function toLive<R>(query: ReturnType<LiveQueryFactory<R>>): LiveQuery<R> | null {
  if (query === null || query === undefined) return null;
  return "live" in query ? query.live() : query;
}
