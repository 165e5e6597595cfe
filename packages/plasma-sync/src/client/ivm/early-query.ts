// Owns: EarlyQuery: runs a query of one cold table on the few rows that it needs, before the rest of them is in memory.
//
//   the order   ███████ every row is known ███████│bound  ▒ some are ▒ …
//
// Invariants:
//   1. Up to a region's bound every row of the table in the region's order is known: it was fetched, or it has changed since.
//      So what is fetched later lies behind it, and commits say of every change before it.
//   2. A query that reads behind a bound finds nothing there, and `isShort` says so: then it may not be shown.
//   3. When the table is warm the bounds are gone: what runs goes on as it is.

import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { contextOf } from "./derived-tables.ts";
import type { MemorySource } from "./memory-source.ts";
import { OverlaidSource } from "./overlaid-source.ts";
import type { EarlyRun } from "./live-queries.ts";
import { QueryNode, type Pipeline } from "./pipeline.ts";
import type { Access, PlannedSource } from "./plan-access.ts";
import { planQuery, type QueryPlan } from "./plan.ts";
import type { ColdReads, EarlyDeps } from "./cold-reads.ts";
import { isRowPlan } from "./row-relation.ts";
import { createRowOrder } from "./row-order.ts";
import type { IndexColumn, IndexSpec, OrderedIndex, Overlay, RowReader } from "./source.ts";

/** Rows whose first columns equal `prefix`, known from the beginning up to a bound. */
interface Region {
  readonly prefix: readonly Value[];
  /** The last row that was fetched. */
  last: Row | null;
  isEnd: boolean;
}

/** Rows beyond the window that a first fetch asks for: a row that leaves is followed by one of them. */
const SPARE = 16;

/** The query as it can be run early; null where it needs whole tables. */
export function planEarly(query: SelectNode, deps: EarlyDeps, reads: ColdReads): EarlyQuery | null {
  if (query.joins.length > 0 || query.includes.length > 0 || query.from.query !== undefined) return null;
  const plan = planQuery(query, deps.schema);
  return plan.subqueries.length > 0 || plan.access.type === "scan" ? null : new EarlyQuery(plan, deps, reads);
}

/** The result, with rows that are fetched as it goes; null where it needs too many. */
export async function runEarly(
  query: EarlyQuery | null,
  overlay: Overlay | undefined,
): Promise<readonly ResultRow[] | null> {
  if (query === null) return null;
  do {
    const rows = query.open(overlay).pipeline.rows();
    if (!query.isShort) return rows;
  } while (await query.more());
  return null;
}

/** As a live query: only whole rows keep their identity when the query begins anew. */
export function startEarly(query: EarlyQuery | null): EarlyRun | null {
  if (query === null || !isRowPlan(query.plan)) return null;
  return {
    start: () => {
      const { node, pipeline } = query.open();
      if (!query.isShort) return { node, pipeline, stop: () => pipeline.close() };
      pipeline.close();
      return null;
    },
    isShort: () => query.isShort,
    more: () => query.more(),
  };
}

export class EarlyQuery {
  /** Whether it has read behind what is known since it was opened. */
  isShort = false;
  readonly plan: QueryPlan;
  readonly #deps: EarlyDeps;
  readonly #reads: ColdReads;
  readonly #source: PlannedSource;
  readonly #regions: readonly Region[];
  #hasIDs = false;
  #fetched = 0;

  constructor(plan: QueryPlan, deps: EarlyDeps, reads: ColdReads) {
    this.plan = plan;
    this.#deps = deps;
    this.#reads = reads;
    this.#source = must(plan.sources[0], "early query: a query has a source");
    const { access } = plan;
    this.#regions = prefixesOf(access).map((prefix) => ({ prefix, last: null, isEnd: false }));
  }

  get #memory(): MemorySource {
    return this.#deps.source(this.#source.table);
  }

  /** Runs it on what is known; `isShort` tells whether that was enough. */
  open(overlay?: Overlay): { readonly node: QueryNode; readonly pipeline: Pipeline } {
    this.isShort = false;
    const { schema, work } = this.#deps;
    const { table, meta } = this.#source;
    const rows = overlay?.get(table);
    const reader = rows === undefined ? this.#reader() : new OverlaidSource(meta, this.#reader(), rows);
    const node = new QueryNode(
      this.plan,
      contextOf(schema, () => reader, work),
    );
    return { node, pipeline: node.open([]) };
  }

  /** Fetches more of what it needs. False when there is no more to fetch, or so much that it waits for all rows as well. */
  async more(): Promise<boolean> {
    const { access } = this.plan;
    if (access.type === "ids") {
      if (this.#hasIDs) return false;
      this.#hasIDs = true;
      await this.#reads.byID(this.#source.table, access.ids([]));
      return true;
    }
    const region = this.#regions.find(({ isEnd }) => !isEnd);
    if (region === undefined || !("spec" in access) || this.#fetched >= limits.earlyRowsMax) return false;
    return this.#fetch(region, access.spec);
  }

  async #fetch(region: Region, spec: IndexSpec): Promise<boolean> {
    const { limit, offset } = this.plan.query;
    const wanted = limit === null ? limits.earlyRowsMax / 8 : offset + limit + SPARE;
    if (wanted > limits.earlyRowsMax) return false;
    const { columns } = spec;
    const from = region.last === null ? this.#startOf(region, columns) : valuesOf(region.last, columns);
    if (from === null) return false;
    const asked = { columns, prefix: region.prefix, limit: Math.max(wanted, this.#fetched) };
    const window = await this.#reads.window(this.#source.table, from.length > 0 ? { ...asked, from } : asked);
    if (window === null) return false;
    this.#fetched += window.rows.length;
    region.last = window.rows.at(-1) ?? region.last;
    region.isEnd = window.isEnd;
    return window.isEnd || window.rows.length > 0;
  }

  /** The place behind which the query's rows lie, empty where it is the region's beginning; null where it has no name. */
  #startOf({ prefix }: Region, columns: readonly IndexColumn[]): readonly Value[] | null {
    const { access } = this.plan;
    if (access.type !== "ordered" || access.start.length === 0) return [];
    const values = [...prefix, ...access.start];
    for (const { column, direction } of columns.slice(values.length)) {
      // What comes first in a descending order has no name.
      if (direction === "desc") return null;
      values.push(column === "id" ? "" : null);
    }
    return values;
  }

  #reader(): RowReader {
    return {
      get: (id) => {
        if (!this.#memory.knows(id)) this.isShort = true;
        return this.#memory.get(id);
      },
      rows: () => {
        this.isShort ||= this.#memory.isCold;
        return this.#memory.rows();
      },
      index: (spec) => this.#index(spec),
    };
  }

  #index(spec: IndexSpec): OrderedIndex {
    return {
      visit: (prefix, from, visit) => {
        const index = this.#memory.index(spec);
        if (!this.#memory.isCold) return index.visit(prefix, from, visit);
        const region = this.#regions.find((one) => one.prefix.every((value, i) => value === prefix[i]));
        if (region === undefined || (region.last === null && !region.isEnd)) {
          this.isShort = true;
          return;
        }
        const { place } = createRowOrder(this.#source.meta, spec);
        const bound = region.isEnd || region.last === null ? null : valuesOf(region.last, spec.columns);
        let isWanted = true;
        index.visit(prefix, from, (row) => {
          if (bound !== null && place(row, bound) > 0) return false;
          isWanted = visit(row);
          return isWanted;
        });
        if (isWanted && bound !== null) this.isShort = true;
      },
    };
  }
}

const valuesOf = (row: Row, columns: readonly IndexColumn[]): Value[] =>
  columns.map(({ column }) => row[column] ?? null);

function prefixesOf(access: Access): readonly (readonly Value[])[] {
  if (access.type === "lookup") return access.prefixes([]);
  return access.type === "ordered" ? [access.prefix([])] : [];
}
