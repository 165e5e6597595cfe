// Owns: LiveQueries: the windows of live queries, shared by equal queries, and the delivery to their listeners.
// Invariants:
//   1. Windows exist only while somebody listens and rows are loaded; then they take every commit.
//   2. Deliveries of a commit begin when all windows have taken it, and end before those of a commit made by a listener begin.
//   3. A listener gets everything at its first delivery, then each change once; none after it has unsubscribed.

import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { LiveDelta, LiveQuery, LiveQueryStatus } from "../../core/query/live-query.ts";
import { queryKey } from "../../core/query/query-key.ts";
import type { Batch, Operator } from "./operator.ts";
import { Window } from "./window.ts";

type Rows = readonly ResultRow[];

interface Listener {
  readonly onRows: ((rows: Rows) => void) | null;
  readonly onDelta: ((delta: LiveDelta<ResultRow>) => void) | null;
  isActive: boolean;
}

/** Equal live queries. `window` is null while rows are loading. */
interface Shared {
  readonly query: SelectNode;
  readonly tables: readonly string[];
  readonly listeners: Set<Listener>;
  window: Window<unknown> | null;
  /** The rows now, once somebody has wanted them; null when they have changed since. */
  rows: Rows | null;
}

const wholeDelta = (added: Rows): LiveDelta<ResultRow> => ({ added, removed: [], changed: [] });

export class LiveQueries {
  readonly #operatorOf: (query: SelectNode) => Operator<unknown>;
  readonly #onError: (error: unknown) => void;
  readonly #sharedByKey = new Map<string, Shared>();
  #status: LiveQueryStatus = "loading";
  #deliveries: (() => void)[] = [];
  #isDelivering = false;

  constructor(deps: {
    readonly operatorOf: (query: SelectNode) => Operator<unknown>;
    readonly onError: (error: unknown) => void;
  }) {
    this.#operatorOf = deps.operatorOf;
    this.#onError = deps.onError;
  }

  get status(): LiveQueryStatus {
    return this.#status;
  }

  create(query: SelectNode): LiveQuery<ResultRow> {
    return new SharedLiveQuery(query, this);
  }

  setStatus(status: LiveQueryStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    if (status === "loading") return;
    for (const shared of this.#sharedByKey.values()) {
      const isFirst = shared.window === null;
      this.#enqueue(shared, wholeDelta(isFirst ? this.#rowsOf(shared) : []));
    }
    this.#deliver();
  }

  /** Takes a commit that all sources hold. */
  push(batch: Batch): void {
    if (batch.changes.size === 0) return;
    for (const shared of this.#sharedByKey.values()) {
      if (shared.window !== null && shared.tables.some((table) => batch.changes.has(table)))
        this.#pushTo(shared, shared.window, batch);
    }
    this.#deliver();
  }

  /** Adds a listener and returns its removal. `key` is the query's key. */
  subscribe(query: SelectNode, key: string, on: Pick<Listener, "onRows" | "onDelta">): () => void {
    const listener: Listener = { ...on, isActive: true };
    let shared = this.#sharedByKey.get(key);
    if (shared === undefined) {
      const tables = [query.from.table, ...query.joins.map(({ source }) => source.table)];
      this.#sharedByKey.set(key, (shared = { query, tables, listeners: new Set(), window: null, rows: null }));
    }
    const { listeners } = shared;
    listeners.add(listener);
    if (this.#status !== "loading") {
      const rows = this.#rowsOf(shared);
      this.#call(listener, rows, wholeDelta(rows));
    }
    return () => {
      listener.isActive = false;
      listeners.delete(listener);
      // A query that is left and taken again at once, as when a component re-renders, keeps its window.
      queueMicrotask(() => {
        if (listeners.size === 0 && this.#sharedByKey.get(key)?.listeners === listeners) this.#sharedByKey.delete(key);
      });
    };
  }

  #pushTo(shared: Shared, window: Window<unknown>, batch: Batch): void {
    const change = window.push(batch);
    if (change === null) return;
    const old = shared.rows;
    shared.rows = null;
    if (change.added.length + change.removed.length + change.changed.length > 0) this.#enqueue(shared, change);
    else if (old !== null) {
      // Equal results whose rows moved: often they have the same places still.
      if (this.#rowsOf(shared).every((row, i) => row === old[i])) shared.rows = old;
      else this.#enqueue(shared, null);
    }
  }

  #rowsOf(shared: Shared): Rows {
    const { query } = shared;
    shared.window ??= new Window(this.#operatorOf(query), query.offset, query.limit);
    return (shared.rows ??= shared.window.rows());
  }

  /** `delta` null: only the order has changed. */
  #enqueue(shared: Shared, delta: LiveDelta<ResultRow> | null): void {
    const listeners = [...shared.listeners];
    const rows = listeners.some(({ onRows }) => onRows !== null) ? this.#rowsOf(shared) : [];
    for (const listener of listeners) this.#deliveries.push(() => this.#call(listener, rows, delta));
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let i = 0; i < this.#deliveries.length; i++) this.#deliveries[i]?.();
    } finally {
      this.#deliveries = [];
      this.#isDelivering = false;
    }
  }

  #call(listener: Listener, rows: Rows, delta: LiveDelta<ResultRow> | null): void {
    if (!listener.isActive) return;
    try {
      listener.onRows?.(rows);
      if (delta !== null) listener.onDelta?.(delta);
    } catch (error) {
      this.#onError(error);
    }
  }
}

/** One `live()` of an app: a handle on the window that equal queries share. */
class SharedLiveQuery implements LiveQuery<ResultRow> {
  readonly ast: SelectNode;
  readonly #owner: LiveQueries;
  #key: string | null = null;
  #hasDelivered = false;

  constructor(ast: SelectNode, owner: LiveQueries) {
    this.ast = ast;
    this.#owner = owner;
  }

  get status(): LiveQueryStatus {
    return this.#hasDelivered ? this.#owner.status : "loading";
  }

  subscribe(listener: (rows: Rows) => void): () => void {
    return this.#subscribe({ onRows: this.#noting(listener), onDelta: null });
  }

  subscribeDelta(listener: (delta: LiveDelta<ResultRow>) => void): () => void {
    return this.#subscribe({ onRows: null, onDelta: this.#noting(listener) });
  }

  whenReady(): Promise<Rows> {
    return new Promise((resolve) => {
      const unsubscribe = this.subscribe((rows) => {
        resolve(rows);
        queueMicrotask(() => unsubscribe());
      });
    });
  }

  #subscribe(on: Pick<Listener, "onRows" | "onDelta">): () => void {
    return this.#owner.subscribe(this.ast, (this.#key ??= queryKey(this.ast)), on);
  }

  #noting<T>(listener: (value: T) => void): (value: T) => void {
    return (value) => {
      this.#hasDelivered = true;
      listener(value);
    };
  }
}
