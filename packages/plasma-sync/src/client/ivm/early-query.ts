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
import type { SelectNode } from "../../core/query/ast.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { contextOf } from "./derived-tables.ts";
import type { MemorySource } from "./memory-source.ts";
import { OverlaidSource } from "./overlaid-source.ts";
import { QueryNode, type Pipeline } from "./pipeline.ts";
import type { Access, PlannedSource } from "./plan-access.ts";
import { planQuery, type QueryPlan } from "./plan.ts";
import type { ColdReads, Overlay } from "./query-runtime.ts";
import { createRowOrder, type RowOrder } from "./row-order.ts";
import type { IndexColumn, IndexSpec, OrderedIndex, RowReader, Work } from "./source.ts";

export interface EarlyDeps {
  readonly schema: AnySchema;
  readonly source: (table: string) => MemorySource;
  readonly reads: ColdReads;
  readonly work: Work;
}

/** Rows whose first columns equal `prefix`, known from the beginning up to a bound. */
interface Region {
  readonly prefix: readonly Value[];
  /** The last row that was fetched. */
  last: Row | null;
  isEnd: boolean;
}

/** Rows beyond the window that a first fetch asks for: a row that leaves is followed by one of them. */
const SPARE = 32;
/** Comes behind every id that people use. */
const LAST_ID = "\u{10FFFF}";

/** The query as it can be run early; null where it needs whole tables. */
export function planEarly(query: SelectNode, deps: EarlyDeps): EarlyQuery | null {
  if (query.joins.length > 0 || query.includes.length > 0 || query.from.query !== undefined) return null;
  const plan = planQuery(query, deps.schema);
  return plan.subqueries.length > 0 || plan.access.type === "scan" ? null : new EarlyQuery(plan, deps);
}

export class EarlyQuery {
  /** Whether it has read behind what is known since it was opened. */
  isShort = false;
  readonly plan: QueryPlan;
  readonly #deps: EarlyDeps;
  readonly #source: PlannedSource;
  readonly #order: Order | null;
  readonly #regions: readonly Region[];
  #hasIDs = false;
  #fetched = 0;

  constructor(plan: QueryPlan, deps: EarlyDeps) {
    this.plan = plan;
    this.#deps = deps;
    this.#source = must(plan.sources[0], "early query: a query has a source");
    const { access } = plan;
    this.#order = "spec" in access ? new Order(this.#source, access.spec) : null;
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
    const { reads } = this.#deps;
    if (access.type === "ids") {
      if (this.#hasIDs) return false;
      this.#hasIDs = true;
      await reads.byID(this.#source.table, access.ids([]));
      return true;
    }
    const region = this.#regions.find(({ isEnd }) => !isEnd);
    if (region === undefined || this.#order === null || this.#fetched >= limits.earlyRowsMax) return false;
    return this.#fetch(region, this.#order);
  }

  async #fetch(region: Region, order: Order): Promise<boolean> {
    const { limit, offset } = this.plan.query;
    const wanted = limit === null ? limits.earlyRowsMax / 8 : offset + limit + SPARE;
    if (wanted > limits.earlyRowsMax) return false;
    for (const columns of order.candidates) {
      const from = region.last === null ? this.#startOf(region, columns) : valuesOf(region.last, columns);
      if (from === null) return false;
      const asked = { columns, prefix: region.prefix, limit: Math.max(wanted, this.#fetched) };
      const place = from.length > 0 ? { ...asked, from } : asked;
      const window = await this.#deps.reads.window(this.#source.table, place);
      if (window === null) continue;
      order.settle(columns);
      this.#fetched += window.rows.length;
      region.last = window.rows.at(-1) ?? region.last;
      region.isEnd = window.isEnd;
      return window.isEnd || window.rows.length > 0;
    }
    return false;
  }

  /** The place behind which the query's rows lie, empty where it is the region's beginning; null where it has no name. */
  #startOf({ prefix }: Region, columns: readonly IndexColumn[]): readonly Value[] | null {
    const { access } = this.plan;
    if (access.type !== "ordered" || access.start.length === 0) return [];
    const values = [...prefix, ...access.start];
    for (const { column, direction } of columns.slice(values.length)) {
      if (column === "id") values.push(direction === "asc" ? "" : LAST_ID);
      else if (direction === "asc") values.push(null);
      else return null;
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
        const order = must(this.#order, "early query: what has an index has an order");
        if (region === undefined || (region.last === null && !region.isEnd)) {
          this.isShort = true;
          return;
        }
        let isWanted = true;
        index.visit(prefix, from, (row) => {
          if (!region.isEnd && order.isBehind(row, must(region.last, "early query 1: a bound is a row"))) return false;
          isWanted = visit(row);
          return isWanted;
        });
        if (isWanted && !region.isEnd) this.isShort = true;
      },
    };
  }
}

/** The order of a query, and the one that the disk serves in its place. */
class Order {
  /** In which orders to ask: the query's, or that with ties the other way round, as an index that is read backwards has them. */
  candidates: readonly (readonly IndexColumn[])[];
  readonly #columns: readonly IndexColumn[];
  readonly #order: RowOrder;

  constructor({ meta }: PlannedSource, { key, columns }: IndexSpec) {
    this.#columns = columns;
    this.#order = createRowOrder(meta, { key, columns });
    const before = columns.at(-2)?.direction;
    const last = must(columns.at(-1), "early query: an order ends with the id");
    const isMixed = before !== undefined && before !== last.direction;
    this.candidates = isMixed
      ? [columns, [...columns.slice(0, -1), { column: last.column, direction: before }]]
      : [columns];
  }

  /** The disk serves this one. */
  settle(columns: readonly IndexColumn[]): void {
    this.candidates = [columns];
  }

  /** Whether not all rows up to this one are known when those up to `bound` were fetched. */
  isBehind(row: Row, bound: Row): boolean {
    const values = valuesOf(bound, this.#columns);
    // With ties the other way round those of the bound are known in part only.
    if (this.candidates[0] === this.#columns) return this.#order.place(row, values) > 0;
    return this.#order.place(row, values.slice(0, -1)) >= 0;
  }
}

const valuesOf = (row: Row, columns: readonly IndexColumn[]): Value[] =>
  columns.map(({ column }) => row[column] ?? null);

function prefixesOf(access: Access): readonly (readonly Value[])[] {
  if (access.type === "lookup") return access.prefixes([]);
  return access.type === "ordered" ? [access.prefix([])] : [];
}
