// Owns: generated worlds: a schema of two to four tables, their rows, and the changes that are made to them. Values are few,
// so that rows meet, tie and come back, and the odd ones are among them.
// Invariants:
//   1. A column's first letter says what it holds; LETTERS. Only those marked `isSmall` are ever summed.

import { isDeepStrictEqual } from "node:util";
import {
  bigint,
  blob,
  boolean,
  defineSchema,
  id,
  int,
  json,
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
import type { Draw } from "./draw.ts";

/** Rows by table, by id. */
export type Rows = ReadonlyMap<string, Map<string, Row>>;

export interface World {
  readonly schema: AnySchema;
  readonly tables: readonly AnyTable[];
  /** The ids that rows of a table can have: so refs meet rows that are there, and some that are not. */
  readonly idsByTable: ReadonlyMap<string, readonly string[]>;
}

export const TABLE_NAMES = ["a", "b", "c", "d"] as const;
/** Ends of ids: their order by code point is not that by UTF-16 units. */
const ID_ENDS = ["0", "1", "A", "a", "\uFFFD", "\u{1F600}"];
const MANY_IDS = Array.from({ length: 24 }, (_, i) => String(i));

const TEXTS = ["", "a", "A", "ab", "b", "\u{1F600}", "\uFFFD", "\uE000x"];
const SMALL = [0, 1, 2, 3, -1];
const INT_EDGES = [0, 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1];
const BIGINT_EDGES = [0n, 1n, 2n ** 53n + 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
const JSONS: readonly Value[] = [{ a: [1, null, "\u{1F600}"] }, [], "x", true, 1.5];

interface Letter {
  readonly make: () => AnyColumn;
  readonly draw: (draw: Draw) => Value;
  /** May be summed: within SPEC's bound, and exact in every order. */
  readonly isSmall?: boolean;
}

const LETTERS: Readonly<Record<string, Letter>> = {
  t: { make: () => text(), draw: (draw) => draw.pick(TEXTS) },
  n: { make: () => int(), draw: (draw) => draw.pick(SMALL), isSmall: true },
  e: { make: () => int(), draw: (draw) => draw.pick(INT_EDGES) },
  q: { make: () => real(), draw: (draw) => draw.pick(SMALL) / 2, isSmall: true },
  g: { make: () => bigint(), draw: (draw) => BigInt(draw.pick(SMALL)), isSmall: true },
  h: { make: () => bigint(), draw: (draw) => draw.pick(BIGINT_EDGES) },
  f: { make: () => boolean(), draw: (draw) => draw.once(2) },
  m: { make: () => timestamp(), draw: (draw) => draw.pick(INT_EDGES) },
  x: { make: () => blob(), draw: (draw) => new Uint8Array(draw.list(draw.below(3), () => draw.below(3))) },
  j: { make: () => json(), draw: (draw) => draw.pick(JSONS) },
  u: { make: () => text().nullable().unique(), draw: () => null },
};
const LETTER_CHOICES = [..."ttnnneqqgghfmxju"];

export const isSmall = (column: string): boolean => LETTERS[column[0] ?? ""]?.isSmall === true;

/** A world without rows. */
export function drawWorld(draw: Draw): World {
  const names = TABLE_NAMES.slice(0, 2 + draw.below(3));
  const tables: AnyTable[] = [];
  for (const name of names) tables.push(drawTable(draw, name, tables));
  const ends = draw.once(12) ? MANY_IDS : ID_ENDS;
  return {
    schema: defineSchema(Object.fromEntries(tables.map((t) => [metaOf(t).name, t]))),
    tables,
    idsByTable: new Map(names.map((name) => [name, ends.map((end) => `${name}${end}`)])),
  };
}

/** Refs point at tables before this one, and sometimes at itself. */
function drawTable(draw: Draw, name: string, before: readonly AnyTable[]): AnyTable {
  const columns: Record<string, AnyColumn> = { id: id() };
  const own: { id?: AnyColumn } = {};
  const targets = before.slice(-2).map((t) => () => (t as unknown as { id: AnyColumn }).id);
  if (draw.once(4)) targets.push(() => own.id as AnyColumn);
  for (const [i, target] of targets.entries()) {
    const column = ref(target);
    columns[`ref${i}`] = draw.once(2) ? column.nullable() : column;
  }
  const count = Math.max(2 - targets.length, 1) + draw.below(4);
  for (let i = 0; i < count; i++) {
    const letter = draw.pick(LETTER_CHOICES);
    const column = LETTERS[letter]!.make();
    columns[`${letter}${i}`] = draw.once(2) ? column : column.nullable();
  }
  const made = table(name, columns, {
    indexes: (t) => {
      const all = Object.values(t as Record<string, AnyColumn>).filter(({ def }) => !/^(?:id|j.)$/.test(def.name));
      const count = all.length === 0 ? 0 : draw.below(3);
      return draw.list(count, () => [...new Set(draw.list(1 + draw.below(2), () => draw.pick(all)))]);
    },
  }) as AnyTable;
  own.id = metaOf(made).columnsByName.get("id") as AnyColumn;
  return made;
}

/** Most rows of each table; none where a tape has ended. */
export function drawRows(draw: Draw, world: World): Map<string, Map<string, Row>> {
  const entries = world.tables.map((t) => {
    const meta = metaOf(t);
    const there = (world.idsByTable.get(meta.name) ?? []).filter(() => draw.below(5) > 0);
    return [meta.name, new Map(there.map((rowID) => [rowID, drawRow(draw, world, meta, rowID)]))] as const;
  });
  return new Map(entries);
}

export function drawRow(draw: Draw, world: World, meta: TableMeta, rowID: string): Row {
  return Object.fromEntries(meta.columns.map(({ def }) => [def.name, cellOf(draw, world, def, rowID)]));
}

function cellOf(draw: Draw, world: World, def: AnyColumn["def"], rowID: string): Value {
  if (def.kind === "id") return rowID;
  if (!def.notNull && draw.once(5)) return null;
  return def.unique ? `u${rowID}` : drawValue(draw, world, def);
}

/** A value that rows may have in the column; not null. */
export function drawValue(draw: Draw, { idsByTable }: World, def: AnyColumn["def"]): Value {
  const idsOf = (name: string): Value => draw.pick(idsByTable.get(name) ?? []);
  if (def.kind === "id") return idsOf(def.table);
  if (def.kind === "ref") return idsOf(def.ref?.column().def.table ?? "");
  if (def.unique) return `u${String(idsOf(def.table))}`;
  return LETTERS[def.name[0] ?? ""]!.draw(draw);
}

/** Changes of one row or a few, at most one of each, of tables that `read` names or, seldom, of others. Nothing is done yet. */
export function drawChanges(draw: Draw, world: World, rows: Rows, read: readonly string[]): RowChange[] {
  const changes = new Map<string, RowChange>();
  const wanted = world.tables.filter((t) => read.includes(metaOf(t).name));
  for (let count = draw.pick([1, 1, 2, 3, 5, 8]); count > 0; count--) {
    const meta = metaOf(draw.pick(draw.once(10) ? world.tables : wanted));
    const rowID = draw.pick(world.idsByTable.get(meta.name) ?? []);
    const before = rows.get(meta.name)?.get(rowID) ?? null;
    const after = drawAfter(draw, world, meta, before ?? rowID);
    if (!isDeepStrictEqual(before, after))
      changes.set(`${meta.name}/${rowID}`, { table: meta.name, id: rowID, before, after });
  }
  return [...changes.values()];
}

function drawAfter(draw: Draw, world: World, meta: TableMeta, before: Row | string): Row | null {
  if (typeof before === "string") return drawRow(draw, world, meta, before);
  if (draw.once(4)) return null;
  const rowID = before["id"] as string;
  if (draw.once(4)) return drawRow(draw, world, meta, rowID);
  const { def } = draw.pick(meta.columns.filter((column) => column.def.name !== "id"));
  return { ...before, [def.name]: cellOf(draw, world, def, rowID) };
}

export function applyChanges(rows: Rows, changes: readonly RowChange[]): void {
  for (const { table: name, id: rowID, after } of changes) {
    if (after === null) rows.get(name)?.delete(rowID);
    else rows.get(name)?.set(rowID, after);
  }
}

export const copyRows = (rows: Rows): Map<string, Map<string, Row>> =>
  new Map([...rows].map(([name, own]) => [name, new Map(own)]));
