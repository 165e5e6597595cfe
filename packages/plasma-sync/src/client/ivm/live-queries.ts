// Owns: LiveQueries: the windows of live queries, shared by equal queries, and the delivery to their listeners.
//
//   waiting ──its tables are warm──────────────────────────────► running
//      │  ▲                                                        ▲
//      │  └──a commit leaves it short of rows that are here──┐     │ (it goes on as it is)
//      └──the rows that it needs were fetched──────────────► early ┘
//
// Invariants:
//   1. Windows exist only while somebody listens and the rows that they need are here; then they take every commit.
//   2. Deliveries of a commit begin when all windows have taken it, and end before those of a commit made by a listener begin.
//   3. A listener gets everything at its first delivery, then each change once; none after it has unsubscribed.
//   4. What is delivered is the whole answer of its moment: one that lacks rows is not shown, and the one before it stays.

import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { LiveDelta, LiveQuery, LiveQueryStatus } from "../../core/query/live-query.ts";
import { queryKey } from "../../core/query/query-key.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { Pipeline, QueryNode } from "./pipeline.ts";
import type { Batch } from "./relation.ts";
import { deltaBetween, isEmpty } from "./result-changes.ts";

type Rows = readonly ResultRow[];

interface Listener {
  readonly onRows: ((rows: Rows) => void) | null;
  readonly onDelta: ((delta: LiveDelta<ResultRow>) => void) | null;
  isActive: boolean;
  /** Whether it has had, or is about to have, its first delivery. */
  hasRows: boolean;
}

/** A query being executed. */
export interface RunningQuery {
  readonly node: QueryNode;
  readonly pipeline: Pipeline;
  /** Lets go of everything. */
  stop(): void;
}

/** A query as it may run before its tables are warm. */
export interface EarlyRun {
  /** Null when rows that it needs are not here. */
  start(): RunningQuery | null;
  /** Whether the answer of what runs lacks rows. */
  isShort(): boolean;
  /** Fetches more rows. False when that does not help. */
  more(): Promise<boolean>;
}

export interface LiveQueriesDeps {
  readonly start: (query: SelectNode) => RunningQuery;
  /** Whether rows of one of the tables may not be here. */
  readonly isCold: (tables: readonly string[]) => boolean;
  /** How the query can be run all the same; null where it cannot. */
  readonly early: (query: SelectNode) => EarlyRun | null;
  /** Asks for all rows of the tables. */
  readonly want: (tables: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
}

/** Equal live queries. `running` is null while rows that it needs are not here. */
interface Shared {
  readonly query: SelectNode;
  readonly tables: readonly string[];
  readonly listeners: Set<Listener>;
  running: RunningQuery | null;
  /** Made when it is needed first. */
  early: EarlyRun | null | undefined;
  isFetching: boolean;
  /** What was delivered last, where nothing runs any more; and the status with it. */
  shown: Rows | null;
  shownStatus: LiveQueryStatus;
}

const wholeDelta = (added: Rows): LiveDelta<ResultRow> => ({ added, removed: [], changed: [] });

export class LiveQueries {
  readonly #deps: LiveQueriesDeps;
  readonly #sharedByKey = new Map<string, Shared>();
  #status: LiveQueryStatus = "loading";
  #deliveries: (() => void)[] = [];
  #isDelivering = false;

  constructor(deps: LiveQueriesDeps) {
    this.#deps = deps;
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
      if (shared.running === null) this.#start(shared);
      else this.#enqueue(shared, wholeDelta([]));
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

  /** Tables have become warm: starts what has waited for them. */
  warmed(): void {
    if (this.#status === "loading") return;
    for (const shared of this.#sharedByKey.values()) if (shared.running === null) this.#start(shared);
    this.#deliver();
  }

  /** Adds a listener and returns its removal. `key` is the query's key. */
  subscribe(query: SelectNode, key: string, on: Pick<Listener, "onRows" | "onDelta">): () => void {
    const listener: Listener = { ...on, isActive: true, hasRows: false };
    let shared = this.#sharedByKey.get(key);
    if (shared === undefined) {
      const tables = tablesOf(query);
      const none = { running: null, early: undefined, isFetching: false, shown: null, shownStatus: this.#status };
      shared = { query, tables, listeners: new Set(), ...none };
      this.#sharedByKey.set(key, shared);
    }
    const { listeners } = shared;
    const own = shared;
    if (this.#status === "loading") listeners.add(listener);
    else this.#join(shared, listener);
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

  /** The first delivery, now if the rows are here. */
  #join(shared: Shared, listener: Listener): void {
    // What those hear who have waited is not for the new one.
    if (shared.running === null) this.#start(shared);
    shared.listeners.add(listener);
    if (shared.running === null) return;
    const rows = shared.running.pipeline.rows();
    listener.hasRows = true;
    this.#call(listener, rows, wholeDelta(rows));
    this.#deliver();
  }

  #start(shared: Shared): void {
    if (this.#begin(shared)) this.#tellBegun(shared);
  }

  /** Begins to run the query if the rows that it needs are here; else they are fetched. */
  #begin(shared: Shared): boolean {
    const { query, tables } = shared;
    if (!this.#deps.isCold(tables)) shared.running = this.#deps.start(query);
    else {
      if (shared.early === undefined) shared.early = this.#deps.early(query);
      shared.running = shared.early?.start() ?? null;
    }
    if (shared.running === null) void this.#fetch(shared);
    return shared.running !== null;
  }

  /** Who has had nothing gets everything; who has had what was shown before gets the difference. */
  #tellBegun(shared: Shared): void {
    const { shown, shownStatus } = shared;
    shared.shown = null;
    if (shown === null) return this.#enqueue(shared, null, { isForNew: true });
    const rows = (shared.running as RunningQuery).pipeline.rows();
    const isSame = shown.length === rows.length && shown.every((row, i) => row === rows[i]);
    const delta = deltaBetween(shown, rows);
    const isStatusNew = shownStatus !== this.#status;
    this.#enqueue(shared, isEmpty(delta) && !isStatusNew ? null : delta, { isForNew: isSame && !isStatusNew });
  }

  async #fetch(shared: Shared): Promise<void> {
    if (shared.isFetching) return;
    shared.isFetching = true;
    // Whoever reads the disk tells when it cannot; then the answer comes with all rows.
    const hasMore = await (shared.early?.more() ?? Promise.resolve(false)).catch(() => false);
    shared.isFetching = false;
    // It may run by now, or everybody may have left.
    if (shared.running !== null || shared.listeners.size === 0) return;
    if (!hasMore) return this.#deps.want(shared.tables);
    this.#start(shared);
    this.#deliver();
  }

  /** Whether the result has changed, so that there is a delivery. */
  #pushTo(shared: Shared, { node, pipeline }: RunningQuery, batch: Batch): boolean {
    const isEarly = shared.early?.isShort() === false && this.#deps.isCold(shared.tables);
    const shown = isEarly ? pipeline.rows() : null;
    // Rows that nobody wants are not made to find out whether they have changed.
    if (![...shared.listeners].some(({ onRows }) => onRows !== null)) pipeline.forgetRows();
    const hasChanged = node.push(batch).length > 0;
    if (isEarly && shared.early?.isShort() === true) {
      shared.running?.stop();
      shared.running = null;
      shared.shown = shown;
      void this.#fetch(shared);
      return false;
    }
    if (!hasChanged || !pipeline.isChanged) return false;
    this.#enqueue(shared, isEmpty(pipeline.delta) ? null : pipeline.delta);
    return true;
  }

  /** `delta` null: only the order has changed. `isForNew`: only who has had nothing yet hears of it. */
  #enqueue(shared: Shared, delta: LiveDelta<ResultRow> | null, { isForNew = false } = {}): void {
    const { running } = shared;
    if (running === null) return;
    shared.shownStatus = this.#status;
    const listeners = [...shared.listeners].filter(({ hasRows }) => !isForNew || !hasRows);
    const rows = listeners.some(({ onRows, hasRows }) => onRows !== null || !hasRows) ? running.pipeline.rows() : [];
    for (const listener of listeners) {
      const own = listener.hasRows ? delta : wholeDelta(rows);
      listener.hasRows = true;
      this.#deliveries.push(() => this.#call(listener, rows, own));
    }
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
      this.#deps.onError(error);
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
