// Owns: QueryNode and Pipeline: one query executed incrementally. A node is the query: its relation, and the nodes of the
// selects it includes. A pipeline is the query at one place: a live query has one, an included select one for each row shown
// of the query around it. Changes are found once per node and handed to the pipelines they belong to.
//
//   relation ─► groups? ─► distinct? ─► window ─► results (with those of nested pipelines)
//
// Invariants:
//   1. Nodes inside take a commit before the node around them, so that a result is made of nested results that are current.
//   2. A nested pipeline lives as long as the entry that shows it stays in its window.

import { must } from "../../core/lib/assert.ts";
import { isGrouped, type ResultRow, type Term } from "../../core/query/ast.ts";
import type { LiveDelta } from "../../core/query/live-query.ts";
import { slotScope, type Read, type Slots } from "../../core/query/predicate.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { Groups, planDistinct, planGroups, type GroupEntry, type GroupPlan } from "./groups.ts";
import { planQuery, type QueryPlan } from "./plan.ts";
import { createReach } from "./reach.ts";
import { adoptTwins, deltaOf, isEmpty, NOTHING, showSame, type ResultChange } from "./result-changes.ts";
import type { Batch, Context, EntryChange, Relation } from "./relation.ts";
import { isRowPlan, RowRelation } from "./row-relation.ts";
import type { Visit } from "./source.ts";
import { freeColumns } from "./source-names.ts";
import { groupEntries, rowEntries, tupleEntries, type Nest, type ShownEntries } from "./shown-entries.ts";
import { TupleRelation, type TupleEntry } from "./tuple-relation.ts";
import { Window } from "./window.ts";

/** Where a nested pipeline's results are shown. */
interface Owner {
  readonly pipeline: Pipeline;
  entry: TupleEntry;
}

interface Include {
  readonly key: string;
  readonly node: QueryNode;
  /** The values of the row around that the select depends on. */
  readonly readOuter: (outer: Slots) => readonly Value[];
}

const NONE: readonly TupleEntry[] = [];

// Entries are made and read by the same node only, whatever they are.
type Entry = Row | TupleEntry | GroupEntry;

export class QueryNode {
  readonly plan: QueryPlan;
  readonly context: Context;
  readonly relation: Relation<Entry>;
  readonly entries: ShownEntries<Entry>;
  readonly groupPlans: readonly GroupPlan<Entry>[];
  readonly includes: readonly Include[];
  /** Whether different entries can show the same. */
  readonly hasTwins: boolean;
  readonly #pipelines = new Set<Pipeline>();
  /** The pipeline of a query with nothing around it. */
  #only: Pipeline | null = null;
  readonly #byLink = new Map<Value, Set<Pipeline>>();
  readonly #reach: ReturnType<typeof createReach>;

  constructor(plan: QueryPlan, context: Context) {
    const { query, names } = plan;
    this.plan = plan;
    this.context = context;
    this.#reach = createReach(plan);
    this.includes = query.includes.map(({ key, query: select }) => {
      const inner = planQuery(select, plan.schema, names);
      return { key, node: new QueryNode(inner, context), readOuter: createReadOuter(inner) };
    });
    const isRows = isRowPlan(plan);
    this.hasTwins = query.projection !== null || plan.sources.some((source) => source.query !== null);
    const relation = isRows ? new RowRelation(plan) : new TupleRelation(plan, context);
    this.relation = relation as unknown as Relation<Entry>;
    this.groupPlans = groupPlansOf(plan) as unknown as readonly GroupPlan<Entry>[];
    const last = this.groupPlans.at(-1);
    const nest = this.includes.length === 0 ? null : nestResults(this.includes);
    this.entries = (last !== undefined
      ? groupEntries(plan, last.scope)
      : isRows
        ? rowEntries(plan, relation as RowRelation)
        : tupleEntries(plan, relation as TupleRelation, nest)) as unknown as ShownEntries<Entry>;
  }

  /** Starts the query at a place. */
  open(outer: Slots, owner: Owner | null = null): Pipeline {
    const pipeline = new Pipeline(this, outer, owner);
    this.#pipelines.add(pipeline);
    if (this.plan.outer.length === 0) this.#only = pipeline;
    const set = this.#byLink.get(pipeline.linkValue) ?? new Set();
    this.#byLink.set(pipeline.linkValue, set.add(pipeline));
    return pipeline;
  }

  close(pipeline: Pipeline): void {
    this.#pipelines.delete(pipeline);
    this.#only = null;
    const set = this.#byLink.get(pipeline.linkValue);
    set?.delete(pipeline);
    if (set?.size === 0) this.#byLink.delete(pipeline.linkValue);
  }

  /** Takes a commit that the sources hold. Returns the pipelines whose entries have changed. */
  push(batch: Batch): Pipeline[] {
    if (this.#reach?.(batch) === false) return [];
    // Most queries have one pipeline and nothing nested.
    if (this.#only !== null && this.includes.length === 0) return this.#pushTo(this.#only, batch);
    const touched = new Map<Pipeline, TupleEntry[]>();
    for (const { node } of this.includes)
      for (const { owner } of node.push(batch)) if (owner !== null) listIn(touched, owner.pipeline).push(owner.entry);
    if (this.#pipelines.size === 0) return [];
    if (this.#isUnclear(batch)) return [...this.#pipelines].filter((pipeline) => pipeline.reset());
    const changes = this.#route(batch);
    const reached = new Set([...changes.keys(), ...touched.keys()]);
    return [...reached].filter((pipeline) => pipeline.push(changes.get(pipeline) ?? [], touched.get(pipeline) ?? []));
  }

  #pushTo(pipeline: Pipeline, batch: Batch): Pipeline[] {
    const hasChanged = this.#isUnclear(batch)
      ? pipeline.reset()
      : pipeline.push(this.relation.push(batch, pipeline.edge), NONE);
    return hasChanged ? [pipeline] : [];
  }

  #isUnclear(batch: Batch): boolean {
    return this.relation instanceof TupleRelation && this.relation.isUnclear(batch);
  }

  /** The changes of the relation by the pipelines that they belong to. */
  #route(batch: Batch): Map<Pipeline, EntryChange<Entry>[]> {
    const changes = new Map<Pipeline, EntryChange<Entry>[]>();
    if (this.#only !== null) {
      changes.set(this.#only, this.relation.push(batch, this.#only.edge));
      return changes;
    }
    for (const { before, after } of this.relation.push(batch, null)) {
      for (const pipeline of this.#pipelinesOf(before, after)) {
        const was = before === null ? null : this.relation.bind(before, pipeline.place);
        const is = after === null ? null : this.relation.bind(after, pipeline.place);
        if (was !== null || is !== null) listIn(changes, pipeline).push({ before: was, after: is });
      }
    }
    return changes;
  }

  #pipelinesOf(before: Entry | null, after: Entry | null): Iterable<Pipeline> {
    if (this.plan.link === null) return this.#pipelines;
    const of = (entry: Entry | null): Iterable<Pipeline> => {
      const value = entry === null ? null : this.relation.linkValue(entry);
      // Nothing equals null.
      return value === null ? [] : (this.#byLink.get(value) ?? []);
    };
    return new Set([...of(before), ...of(after)]);
  }
}

export class Pipeline {
  readonly owner: Owner | null;
  readonly linkValue: Value;
  readonly #node: QueryNode;
  readonly #window: Window<Entry>;
  readonly #outer: Slots;
  #groups: Groups<Entry>[] = [];
  #rows: readonly ResultRow[] | null = null;
  #changes: readonly ResultChange[] = [];
  #delta: LiveDelta<ResultRow> = NOTHING;
  #isChanged = false;

  constructor(node: QueryNode, outer: Slots, owner: Owner | null) {
    const { plan, entries, groupPlans, relation } = node;
    this.#node = node;
    this.#outer = outer;
    this.owner = owner;
    this.linkValue = plan.link === null ? null : plan.link.readOuter(outer);
    const source = {
      isOrdered: groupPlans.length === 0 && relation.isOrdered,
      compare: entries.compare,
      keyOf: entries.keyOf,
      pull: (from: Entry | null, visit: Visit<Entry>) => this.#pull(from, visit),
    };
    this.#window = new Window(source, plan.query.offset, plan.query.limit);
  }

  get place(): { readonly outer: Slots; readonly state: Context["now"] } {
    return { outer: this.#outer, state: this.#node.context.now };
  }

  get edge(): Entry | null {
    return this.#window.edge;
  }

  /** What the last commit changed, by key. */
  get changes(): readonly ResultChange[] {
    return this.#changes;
  }

  /** What of it can be seen. */
  get delta(): LiveDelta<ResultRow> {
    return this.#delta;
  }

  /** Whether the rows are others, or in other places. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** The results, the same array until they change. */
  rows(): readonly ResultRow[] {
    return (this.#rows ??= this.#resultsOf(this.#window.shown()));
  }

  forgetRows(): void {
    this.#rows = null;
  }

  /** The results with their keys. */
  *keyedRows(): Iterable<readonly [string, ResultRow]> {
    for (const entry of this.#window.shown()) yield [this.#node.entries.keyOf(entry), this.#resultOf(entry)];
  }

  /** Takes changes of the relation, and entries whose nested results have changed. False when none changed. */
  push(changes: readonly EntryChange<Entry>[], touched: readonly TupleEntry[]): boolean {
    // A window that never shows anything has not even grouped what is there.
    if (this.#groups.length < this.#node.groupPlans.length) return false;
    let own: readonly EntryChange<Entry>[] = changes;
    for (const groups of this.#groups) {
      for (const change of own) groups.change(change);
      own = groups.settle();
    }
    this.#window.push(this.#afterCursor(own));
    for (const entry of touched.length > 1 ? new Set(touched) : touched)
      this.#window.renew(entry, { ...entry, result: null, children: null });
    return this.#settle();
  }

  /** Reads everything anew. False when none changed. */
  reset(): boolean {
    this.#window.reset();
    return this.#settle();
  }

  close(): void {
    if (this.#node.includes.length > 0) for (const entry of this.#window.shown()) this.#release(entry as TupleEntry);
    this.#node.close(this);
  }

  #pull(from: Entry | null, visit: Visit<Entry>): void {
    const { relation, groupPlans, entries } = this.#node;
    const { isAfter } = entries;
    const show: Visit<Entry> = isAfter === null ? visit : (entry) => !isAfter(entry) || visit(entry);
    if (groupPlans.length === 0) {
      relation.pull(this.place, from, show);
      return;
    }
    const [first, ...more] = (this.#groups = groupPlans.map((plan) => new Groups(plan)));
    relation.pull(this.place, null, (entry) => {
      first?.change({ before: null, after: entry });
      return true;
    });
    let changes: readonly EntryChange<Entry>[] = first?.settle() ?? [];
    for (const groups of more) {
      for (const change of changes) groups.change(change);
      changes = groups.settle();
    }
    changes.every(({ after }) => after === null || show(after));
  }

  #afterCursor(changes: readonly EntryChange<Entry>[]): readonly EntryChange<Entry>[] {
    const { isAfter } = this.#node.entries;
    if (isAfter === null) return changes;
    return changes
      .map(({ before, after }) => ({
        before: before !== null && isAfter(before) ? before : null,
        after: after !== null && isAfter(after) ? after : null,
      }))
      .filter(({ before, after }) => before !== null || after !== null);
  }

  #settle(): boolean {
    const { entries, includes, hasTwins } = this.#node;
    const changes: ResultChange[] = [];
    const added: Entry[] = [];
    for (const { key, before, after } of this.#window.settle()) {
      if (before !== null && after !== null) {
        if (includes.length > 0) this.#adopt(before as TupleEntry, after as TupleEntry);
        const old = this.#resultOf(before);
        if (!entries.keepResult(before, after)) changes.push({ key, before: old, after: this.#resultOf(after) });
        else if (entries.compare(before, after) !== 0) changes.push({ key, before: old, after: old });
      } else if (after !== null) added.push(after);
      else if (before !== null) {
        changes.push({ key, before: this.#resultOf(before), after: null });
        if (includes.length > 0) this.#release(before as TupleEntry);
        // It may come back when another entry has taken its result.
        else if (hasTwins) (before as TupleEntry | GroupEntry).result = null;
      }
    }
    if (hasTwins && added.length > 0 && changes.length > 0)
      adoptTwins(added as (TupleEntry | GroupEntry)[], changes, (entry) => this.#resultOf(entry));
    for (const entry of added) changes.push({ key: entries.keyOf(entry), before: null, after: this.#resultOf(entry) });
    this.#changes = changes;
    return changes.length > 0 && this.#noteRows();
  }

  /** Forgets the rows, or finds that they show the same in the same places. */
  #noteRows(): true {
    const old = this.#rows;
    this.#rows = null;
    this.#isChanged = true;
    this.#delta = deltaOf(this.#changes);
    const { hasTwins } = this.#node;
    if (old === null || (!hasTwins && !isEmpty(this.#delta))) return true;
    const rows = this.rows();
    const isSame = (row: ResultRow, i: number): boolean =>
      row === old[i] || (hasTwins && showSame(row, old[i] as ResultRow));
    if (rows.length !== old.length || !rows.every(isSame)) return true;
    // Others show the same: they do so with the results that are known.
    if (hasTwins && !isEmpty(this.#delta))
      for (const [i, entry] of this.#window.shown().entries())
        (entry as TupleEntry | GroupEntry).result = old[i] as ResultRow;
    this.#rows = old;
    this.#isChanged = false;
    this.#delta = NOTHING;
    return true;
  }

  /** Hands nested pipelines on to the entry that replaces theirs, where they still belong to it. */
  #adopt(before: TupleEntry, after: TupleEntry): void {
    if (before === after || before.children === null) return;
    after.children = this.#node.includes.map(({ node, readOuter }, i) => {
      const child = (before.children as readonly Pipeline[])[i] as Pipeline;
      const owner = must(child.owner, "pipeline 2: a nested pipeline has an owner");
      const old = readOuter(before.rows);
      if (readOuter(after.rows).every((value, at) => value === old[at])) {
        owner.entry = after;
        return child;
      }
      child.close();
      return node.open(after.rows, { pipeline: this, entry: after });
    });
  }

  /** Closes what is nested in an entry that is no longer shown. */
  #release(entry: TupleEntry): void {
    for (const child of (entry.children ?? []) as readonly Pipeline[]) child.close();
    entry.children = null;
    entry.result = null;
  }

  #resultsOf(shown: Entry[]): readonly ResultRow[] {
    // Rows are their own results.
    if (this.#node.relation instanceof RowRelation) return shown as Row[];
    return shown.map((entry) => this.#resultOf(entry));
  }

  #resultOf(entry: Entry): ResultRow {
    const { entries, includes } = this.#node;
    if (includes.length > 0) {
      const own = entry as TupleEntry;
      own.children ??= includes.map(({ node }) => node.open(own.rows, { pipeline: this, entry: own }));
    }
    return entries.resultOf(entry);
  }
}

/** Reads the values of the rows around that a query depends on. */
function createReadOuter({ query, outer }: QueryPlan): (rows: Slots) => readonly Value[] {
  const scope = slotScope(outer);
  const reads = freeColumns(query)
    .filter(({ source }) => outer.includes(source))
    .map((column) => scope.read(column));
  return (rows) => reads.map((read) => read(rows));
}

function groupPlansOf({ query, names }: QueryPlan): readonly unknown[] {
  const slots = slotScope(names);
  const scope = {
    read: (term: Term): Read<TupleEntry> => {
      const read = slots.read(term);
      return ({ rows }) => read(rows);
    },
  };
  if (!isGrouped(query)) return query.distinct ? [planDistinct(query, scope)] : [];
  const groups = planGroups(query, scope);
  return query.distinct ? [groups, planDistinct(query, groups.scope)] : [groups];
}

const nestResults =
  (includes: readonly Include[]): Nest =>
  (entry, result) => {
    const nested: { [key: string]: unknown } = { ...result };
    for (const [i, { key, node }] of includes.entries()) {
      const rows = (entry.children as readonly Pipeline[])[i]?.rows() ?? [];
      nested[key] = node.plan.query.one ? (rows[0] ?? null) : rows;
    }
    return nested;
  };

function listIn<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = []));
  return list;
}
