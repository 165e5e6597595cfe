// Owns: generated worlds: a schema of two to four tables, their rows, and the changes that are made to them. Values are few,
// so that rows meet, tie and come back, and the odd ones are among them.

import {
  bigint,
  blob,
  boolean,
  defineSchema,
  id,
  int,
  real,
  ref,
  table,
  text,
  timestamp,
  type AnyColumn,
  type AnySchema,
  type AnyTable,
  type Row,
  type Value,
} from "../../packages/plasma-sync/src/core/index.ts";
import { metaOf, type TableMeta } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import { sameRow } from "../../packages/plasma-sync/src/core/lib/deep-equal.ts";
import type { Draw } from "./draw.ts";

export interface World {
  readonly schema: AnySchema;
  readonly tables: readonly AnyTable[];
  /** By table, by id. */
  readonly rows: ReadonlyMap<string, Map<string, Row>>;
}

const IDS_PER_TABLE = 6;
/** The ids that rows of a table can have: so refs meet rows that are there, and some that are not. */
export const idsOf = (tableName: string): string[] =>
  Array.from({ length: IDS_PER_TABLE }, (_, i) => `${tableName}${i}`);

const makers = [int, text, boolean, real, bigint, timestamp, blob, text, int] as const;

/** A world with rows. */
export function drawWorld(draw: Draw): World {
  const names = ["a", "b", "c", "d"].slice(0, 2 + draw.below(3));
  const tables: AnyTable[] = [];
  for (const name of names) tables.push(drawTable(draw, name, tables));
  const schema = defineSchema(Object.fromEntries(tables.map((t) => [metaOf(t).name, t]))) as AnySchema;
  const rows = new Map(names.map((name) => [name, new Map<string, Row>()]));
  for (const t of tables) {
    const meta = metaOf(t);
    for (const rowID of idsOf(meta.name))
      if (!draw.once(8)) rows.get(meta.name)?.set(rowID, drawRow(draw, meta, rowID));
  }
  return { schema, tables, rows };
}

/** Refs point at tables before it and at itself. */
function drawTable(draw: Draw, name: string, before: readonly AnyTable[]): AnyTable {
  const columns: Record<string, AnyColumn> = { id: id() };
  const targets = before.map((t) => (t as unknown as { id: AnyColumn }).id);
  for (const [i, target] of targets.slice(-2).entries()) {
    const column = ref(() => target);
    columns[`ref${i}`] = draw.once(2) ? column.nullable() : column;
  }
  const count = 2 + draw.below(3);
  for (let i = 0; i < count; i++) {
    const column = draw.pick(makers)() as AnyColumn;
    columns[`v${i}`] = draw.once(2) ? column : column.nullable();
  }
  return table(name, columns, {
    indexes: (t) => {
      const all = Object.values(t as Record<string, AnyColumn>).filter(({ def }) => def.name !== "id");
      return draw.once(2) ? [draw.list(1 + draw.below(2), () => draw.pick(all))].map((list) => [...new Set(list)]) : [];
    },
  }) as AnyTable;
}

export function drawRow(draw: Draw, meta: TableMeta, rowID: string): Row {
  const row: { [column: string]: Value } = {};
  for (const { def } of meta.columns) row[def.name] = def.name === "id" ? rowID : drawValue(draw, def);
  return row;
}

const texts = ["", "a", "A", "ab", "b", "\u{1F600}", "\uFFFD", "\uE000x"];
const bigints = [0n, 1n, -1n, 2n, 9_007_199_254_740_993n, 9_007_199_254_740_991n, 2n ** 63n - 1n, -(2n ** 63n)];
const numbers = [0, 1, 2, 3, -1];

/** A value of the column. Values that must not be summed (SPEC's bound) stand in bigint columns only; those are not summed. */
export function drawValue(draw: Draw, { kind, notNull, ref: target, name }: AnyColumn["def"]): Value {
  if (!notNull && draw.once(5)) return null;
  switch (kind) {
    case "ref":
      return draw.pick(idsOf(target?.column().def.table ?? ""));
    case "id":
      return name;
    case "text":
      return draw.pick(texts);
    case "boolean":
      return draw.once(2);
    case "bigint":
      return draw.pick(bigints);
    case "real":
      return draw.pick(numbers) / 2;
    case "timestamp":
      return draw.once(8) ? Number.MAX_SAFE_INTEGER : draw.pick(numbers);
    case "blob":
      return new Uint8Array(draw.list(draw.below(3), () => draw.below(3)));
    default:
      return draw.pick(numbers);
  }
}

/** Changes of one to four rows, at most one of each, already made in the world; mostly of the tables that `read` names. */
export function drawCommit(draw: Draw, { tables, rows }: World, read: readonly string[]): RowChange[] {
  const changes = new Map<string, RowChange>();
  const count = 2 + draw.below(6);
  const wanted = tables.filter((t) => read.includes(metaOf(t).name));
  for (let i = 0; i < count; i++) {
    const meta = metaOf(draw.pick(draw.once(8) ? tables : wanted));
    const rowID = draw.pick(idsOf(meta.name));
    const own = rows.get(meta.name) as Map<string, Row>;
    const before = own.get(rowID) ?? null;
    const after = drawAfter(draw, meta, rowID, before);
    if (changes.has(rowID) || (before === null && after === null)) continue;
    if (before !== null && after !== null && sameRow(before, after)) continue;
    changes.set(rowID, { table: meta.name, id: rowID, before, after });
    if (after === null) own.delete(rowID);
    else own.set(rowID, after);
  }
  return [...changes.values()];
}

function drawAfter(draw: Draw, meta: TableMeta, rowID: string, before: Row | null): Row | null {
  if (before === null) return drawRow(draw, meta, rowID);
  if (draw.once(4)) return null;
  const { def } = draw.pick(meta.columns.filter((column) => column.def.name !== "id"));
  return { ...before, [def.name]: drawValue(draw, def) };
}
