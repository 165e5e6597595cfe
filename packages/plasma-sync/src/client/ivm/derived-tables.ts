// Owns: DerivedTables: the results of subqueries as tables. A live query holds the ones that it reads; equal ones are shared.
// Invariants:
//   1. A derived table takes a commit after the tables that it is made of, and before the queries that read it.

import { must } from "../../core/lib/assert.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import { derivedTable, tableOfSource } from "../../core/query/derived-table.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { keyed } from "./derived-rows.ts";
import { MemorySource } from "./memory-source.ts";
import { QueryNode, type Pipeline } from "./pipeline.ts";
import { planQuery, type QueryPlan } from "./plan.ts";
import { SubqueryProbe } from "./probe.ts";
import type { Batch, Context, EntryChange } from "./relation.ts";
import type { State, Work } from "./source.ts";

interface Derived {
  readonly meta: TableMeta;
  readonly source: MemorySource;
  readonly node: QueryNode;
  readonly pipeline: Pipeline;
  /** What it reads itself. */
  readonly holder: DerivedHolder;
  holders: number;
}

/** What one query holds; `context` is what it runs in. */
export interface DerivedHolder {
  readonly context: Context;
  release(): void;
}

export class DerivedTables {
  readonly #schema: AnySchema;
  readonly #now: State;
  readonly #work: Work;
  /** In the order in which they take commits. */
  readonly #byName = new Map<string, Derived>();

  constructor(schema: AnySchema, now: State, work: Work) {
    this.#schema = schema;
    this.#now = now;
    this.#work = work;
  }

  get(name: string): { readonly source: MemorySource; readonly meta: TableMeta } | undefined {
    return this.#byName.get(name);
  }

  /** A context in which queries can be made, and the derived tables that they then need. */
  hold(): DerivedHolder {
    const names = new Set<string>();
    const context: Context = {
      now: this.#now,
      run: (plan, place) => runPlan(plan, { ...context, now: place.state }, place.outer),
      probe: (input) => new SubqueryProbe(input, context),
      derive: (name, query) => {
        if (names.has(name)) return;
        names.add(name);
        this.#acquire(name, query);
      },
    };
    return {
      context,
      release: () => {
        for (const name of names) this.#release(name);
        names.clear();
      },
    };
  }

  /** Takes a commit that the tables hold; adds the changes of derived tables to it. */
  push(batch: Batch, changes: Map<string, readonly EntryChange<Row>[]>): void {
    for (const [name, { node, pipeline, source }] of this.#byName) {
      if (node.push(batch).length === 0) continue;
      // A row that only moved is the same one here.
      const changed = pipeline.changes.filter(({ before, after }) => before !== after);
      const rows = changed.map(({ key, after }) => ({ id: key, after: after && keyed(key, after) }));
      const applied = source.apply(rows);
      if (applied.length > 0) changes.set(name, applied);
    }
  }

  #acquire(name: string, query: SelectNode): void {
    const known = this.#byName.get(name);
    if (known !== undefined) {
      known.holders += 1;
      return;
    }
    const holder = this.hold();
    const node = new QueryNode(planQuery(query, this.#schema), holder.context);
    const pipeline = node.open([]);
    const meta = derivedTable(name, query, tableOfSource(query.from, this.#schema));
    const source = new MemorySource(meta, this.#work);
    source.fill([...pipeline.keyedRows()].map(([key, row]) => keyed(key, row)));
    this.#byName.set(name, { meta, source, node, pipeline, holder, holders: 1 });
  }

  #release(name: string): void {
    const derived = must(this.#byName.get(name), "derived tables: what is released was held");
    derived.holders -= 1;
    if (derived.holders > 0) return;
    this.#byName.delete(name);
    derived.pipeline.close();
    derived.holder.release();
  }
}

/** A context for one run on one state of the tables: derived tables are made when they are read, and forgotten with it. */
export function contextOf(schema: AnySchema, state: State, work: Work): Context {
  const queries = new Map<string, SelectNode>();
  const sources = new Map<string, MemorySource>();
  const context: Context = {
    now: (table) => {
      const query = queries.get(table);
      if (query === undefined) return state(table);
      let source = sources.get(table);
      if (source === undefined) {
        const meta = derivedTable(table, query, tableOfSource(query.from, schema));
        sources.set(table, (source = new MemorySource(meta, work)));
        const pipeline = new QueryNode(planQuery(query, schema), context).open([]);
        source.fill([...pipeline.keyedRows()].map(([key, row]) => keyed(key, row)));
      }
      return source;
    },
    run: (plan, place) => runPlan(plan, { ...context, now: place.state }, place.outer),
    probe: (input) => new SubqueryProbe(input, context),
    derive: (name, query) => void queries.set(name, query),
  };
  return context;
}

const runPlan = (plan: QueryPlan, context: Context, outer: Slots): readonly ResultRow[] =>
  new QueryNode(plan, context).open(outer).rows();
