// Owns: LiveQueries: the windows of live queries, shared by equal queries, and the delivery to their listeners.
// Invariants:
//   1. Windows exist only while somebody listens and rows are loaded; then they take every commit.
//   2. Deliveries of a commit begin when all windows have taken it, and end before those of a commit made by a listener begin.
//   3. A listener gets everything at its first delivery, then each change once; none after it has unsubscribed.

import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { LiveDelta, LiveQuery, LiveQueryStatus } from "../../core/query/live-query.ts";
import { queryKey } from "../../core/query/query-key.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { Pipeline, QueryNode } from "./pipeline.ts";
import type { Batch } from "./relation.ts";
import { isEmpty } from "./result-changes.ts";

type Rows = readonly ResultRow[];

interface Listener {
  readonly onRows: ((rows: Rows) => void) | null;
  readonly onDelta: ((delta: LiveDelta<ResultRow>) => void) | null;
  isActive: boolean;
}

/** A query being executed. */
export interface RunningQuery {
  readonly node: QueryNode;
  readonly pipeline: Pipeline;
  /** Lets go of everything. */
  stop(): void;
}

/** Equal live queries. `running` is null while rows are loading. */
interface Shared {
  readonly query: SelectNode;
  readonly tables: readonly string[];
  readonly listeners: Set<Listener>;
  running: RunningQuery | null;
}

const wholeDelta = (added: Rows): LiveDelta<ResultRow> => ({ added, removed: [], changed: [] });

export class LiveQueries {
  readonly #start: (query: SelectNode) => RunningQuery;
  readonly #onError: (error: unknown) => void;
  readonly #sharedByKey = new Map<string, Shared>();
  #status: LiveQueryStatus = "loading";
  #deliveries: (() => void)[] = [];
  #isDelivering = false;

  constructor(deps: {
    readonly start: (query: SelectNode) => RunningQuery;
    readonly onError: (error: unknown) => void;
  }) {
    this.#start = deps.start;
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
      const isFirst = shared.running === null;
      this.#enqueue(shared, wholeDelta(isFirst ? this.#rowsOf(shared) : []));
    }
    this.#deliver();
  }

  /** Takes a commit that all sources hold. Listeners hear of its rows and of its status in one delivery. */
  push(batch: Batch, status: LiveQueryStatus = this.#status): void {
    const hasNewStatus = this.#status !== "loading" && status !== this.#status;
    if (batch.changes.size === 0 && !hasNewStatus) return;
    if (hasNewStatus) this.#status = status;
    for (const shared of this.#sharedByKey.values()) {
      const { running, tables } = shared;
      const isTold =
        running !== null && tables.some((table) => batch.changes.has(table)) && this.#pushTo(shared, running, batch);
      if (hasNewStatus && !isTold) this.#enqueue(shared, wholeDelta([]));
    }
    this.#deliver();
  }

  /** Adds a listener and returns its removal. `key` is the query's key. */
  subscribe(query: SelectNode, key: string, on: Pick<Listener, "onRows" | "onDelta">): () => void {
    const listener: Listener = { ...on, isActive: true };
    let shared = this.#sharedByKey.get(key);
    if (shared === undefined) {
      shared = { query, tables: tablesOf(query), listeners: new Set(), running: null };
      this.#sharedByKey.set(key, shared);
    }
    const { listeners } = shared;
    const own = shared;
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
        if (listeners.size > 0 || this.#sharedByKey.get(key) !== own) return;
        this.#sharedByKey.delete(key);
        own.running?.stop();
      });
    };
  }

  /** Whether the result has changed, so that there is a delivery. */
  #pushTo(shared: Shared, { node, pipeline }: RunningQuery, batch: Batch): boolean {
    // Rows that nobody wants are not made to find out whether they have changed.
    if (![...shared.listeners].some(({ onRows }) => onRows !== null)) pipeline.forgetRows();
    if (node.push(batch).length === 0 || !pipeline.isChanged) return false;
    this.#enqueue(shared, isEmpty(pipeline.delta) ? null : pipeline.delta);
    return true;
  }

  #rowsOf(shared: Shared): Rows {
    return (shared.running ??= this.#start(shared.query)).pipeline.rows();
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
