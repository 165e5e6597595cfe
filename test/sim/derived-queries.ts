// Owns: live queries of every shape over the tables of an app (windows, groups, joins, subqueries, nested selects), and the oracle
// that what they have delivered is what the naive executor makes of the rows that are shown.

import { evaluate } from "../../packages/plasma-sync/src/core/query/evaluate.ts";
import type { SelectNode } from "../../packages/plasma-sync/src/core/query/ast.ts";
import type { LiveQuery } from "../../packages/plasma-sync/src/core/query/live-query.ts";
import {
  asc,
  count,
  desc,
  eq,
  exists,
  max,
  type AnyColumn,
  type AnyTable,
  type Row,
} from "../../packages/plasma-sync/src/core/index.ts";
import { metaOf } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";

interface Derived {
  readonly name: string;
  readonly query: SelectNode;
  rows: readonly unknown[] | null;
}

export class DerivedQueries {
  readonly #queries: Derived[] = [];

  /** `onDelivery` is called behind each delivery. */
  constructor(tab: SimTab, tables: ReadonlyMap<string, AnyTable>, onDelivery: (isComplete: boolean) => void) {
    for (const [name, live] of queriesOf(tab, tables)) {
      const derived: Derived = { name, query: live.ast, rows: null };
      this.#queries.push(derived);
      live.subscribe((rows) => {
        derived.rows = rows;
        onDelivery(live.status === "complete");
      });
    }
  }

  /** What a query shows otherwise than a fresh one would; null when all agree. */
  mismatch(rowsOf: (table: string) => readonly Row[]): string | null {
    for (const { name, query, rows } of this.#queries) {
      if (rows === null) continue;
      const [shown, expected] = [textOf(rows), textOf(evaluate(query, rowsOf))];
      if (shown !== expected) return `the live query ${name} shows ${shown}, a fresh one ${expected}`;
    }
    return null;
  }
}

type Live = LiveQuery<object>;

function* queriesOf(
  { client: { db } }: SimTab,
  tables: ReadonlyMap<string, AnyTable>,
): Iterable<readonly [string, Live]> {
  for (const [name, table] of tables) {
    const id = columnOf(table, "id");
    yield [`${name}: a window`, db.select().from(table).orderBy(desc(id)).limit(3).offset(1).live()];
    yield [
      `${name}: a count`,
      db
        .select({ n: count(), last: max(id) })
        .from(table)
        .live(),
    ];
    for (const { def } of metaOf(table).columns) {
      const parent = def.ref === undefined ? undefined : tables.get(def.ref.column().def.table);
      if (parent === undefined || parent === table) continue;
      const isParent = eq(columnOf(table, def.name), columnOf(parent, "id"));
      const place = `${name}.${def.name}`;
      yield [`${place}: a join`, db.select().from(table).leftJoin(parent, isParent).live()];
      yield [
        `${place}: parents with children`,
        db
          .select()
          .from(parent)
          .where(exists(db.select().from(table).where(isParent)))
          .live(),
      ];
      const children = db.select().from(table).where(isParent).orderBy(asc(id)).limit(2);
      yield [`${place}: nested`, db.select().from(parent).include({ children }).live()];
    }
  }
}

const columnOf = (table: AnyTable, name: string): AnyColumn => metaOf(table).columnsByName.get(name) as AnyColumn;

const textOf = (rows: readonly unknown[]): string =>
  JSON.stringify(rows, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (value instanceof Uint8Array) return `bytes ${[...value].join(" ")}`;
    const isPlain = typeof value === "object" && value !== null && !Array.isArray(value);
    return isPlain ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  });
