// Owns: a case: rows, a query, a history of commits, and the answers of `evaluate`. Cases become smaller, and text that says
// the same for ever, whatever the generator does then.

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
  type ResultRow,
  type Row,
  type SelectNode,
} from "../../packages/plasma-sync/src/core/index.ts";
import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import { evaluate } from "../../packages/plasma-sync/src/core/query/evaluate.ts";
import { tablesOf } from "../../packages/plasma-sync/src/core/query/tables-of.ts";
import { metaOf } from "../../packages/plasma-sync/src/core/schema/table.ts";
import { showOf } from "./show.ts";
import { simplerQueries } from "./simpler-queries.ts";
import { applyChanges, copyRows, type Rows } from "./world.ts";

/** Writes on top of a state, and the answer over both. */
export interface Overlaid {
  readonly writes: readonly RowChange[];
  readonly expected: readonly ResultRow[];
}

export interface Step {
  readonly changes: readonly RowChange[];
  readonly expected: readonly ResultRow[];
  /** Whether the answer is another than before. */
  readonly isAltered: boolean;
  readonly overlaid: Overlaid;
}

export interface Case {
  readonly schema: AnySchema;
  readonly start: Rows;
  readonly end: Rows;
  readonly query: SelectNode;
  readonly expected: readonly ResultRow[];
  /** The query after the first of its rows: null where it has none or they do not show its order. */
  readonly rest: SelectNode | null;
  readonly steps: readonly Step[];
}

/** A case without its answers. What changes were before is found out. */
export interface Outline extends Pick<Case, "schema" | "start" | "query" | "rest"> {
  readonly steps: readonly { readonly changes: readonly RowChange[]; readonly writes: readonly RowChange[] }[];
}

export const rowsOf =
  (rows: Rows) =>
  (tableName: string): Iterable<Row> =>
    rows.get(tableName)?.values() ?? [];

/** The case of an outline. */
function answered(outline: Outline): Case {
  const { schema, start, query } = outline;
  const rows = copyRows(start);
  const expected = evaluate(query, rowsOf(rows));
  const steps: Step[] = [];
  for (const { changes: given, writes: over } of outline.steps) {
    const changes = realChanges(rows, given);
    applyChanges(rows, changes);
    const now = evaluate(query, rowsOf(rows));
    const before = steps.at(-1)?.expected ?? expected;
    const overlaid = copyRows(rows);
    const writes = realChanges(rows, over);
    applyChanges(overlaid, writes);
    steps.push({
      changes,
      expected: now,
      isAltered: showOf(now) !== showOf(before),
      overlaid: { writes, expected: evaluate(query, rowsOf(overlaid)) },
    });
  }
  return { schema, start, end: rows, query, expected, rest: outline.rest, steps };
}

function realChanges(rows: Rows, changes: readonly RowChange[]): RowChange[] {
  const real = changes.map((change) => ({ ...change, before: rows.get(change.table)?.get(change.id) ?? null }));
  return real.filter(({ before, after }) => showOf(before) !== showOf(after));
}

const outlineOf = ({ steps, ...rest }: Case): Outline => ({
  ...rest,
  steps: steps.map(({ changes, overlaid }) => ({ changes, writes: overlaid.writes })),
});

/** The case with as little of its query and without as many rows, commits and changes as can go while it still fails. */
export async function shrinkCase(given: Case, fails: (smaller: Case) => Promise<boolean>): Promise<Case> {
  let best = given;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (let i = 0; ; i++) {
      const candidate = smallerOnes(outlineOf(best))[i];
      if (candidate === undefined) break;
      const smaller = withRest(answered(candidate), given);
      if (!(await fails(smaller))) continue;
      best = smaller;
      isSmaller = true;
      // What comes at this place now has not been tried.
      i -= 1;
    }
  }
  return best;
}

/** Without the query after the first row, where another row is first now. */
const withRest = (smaller: Case, { expected: [first] }: Case): Case =>
  showOf(smaller.expected[0]) === showOf(first) ? smaller : { ...smaller, rest: null };

function smallerOnes(outline: Outline): Outline[] {
  const { start, steps } = outline;
  const without = <T>(list: readonly T[], at: number): T[] => list.filter((_, i) => i !== at);
  const withStep = (at: number, step: Outline["steps"][number]) => ({ ...outline, steps: steps.with(at, step) });
  return [
    ...simplerQueries(outline.query).map((query) => ({ ...outline, query, rest: null })),
    ...steps.map((_, i) => ({ ...outline, steps: without(steps, i) })),
    ...steps.flatMap((step, at) => [
      ...step.changes.map((_, i) => withStep(at, { ...step, changes: without(step.changes, i) })),
      ...step.writes.map((_, i) => withStep(at, { ...step, writes: without(step.writes, i) })),
    ]),
    ...[...start].flatMap(([name, own]) =>
      [...own.keys()].map((rowID) => {
        const rest = new Map([...own].filter(([other]) => other !== rowID));
        return { ...outline, start: new Map([...start, [name, rest]]) };
      }),
    ),
  ];
}

interface CaseText extends Pick<Case, "query" | "rest"> {
  readonly tables: readonly {
    readonly name: string;
    /** Such as `int`, `text null unique`, `ref a null`. */
    readonly columns: Readonly<Record<string, string>>;
    readonly indexes: readonly (readonly string[])[];
    readonly rows: readonly Row[];
  }[];
  readonly steps: Outline["steps"];
}

/** The case as JSON, without tables that it has no use for. */
export function encodeCase(given: Case): string {
  const { schema, start, query, rest, steps } = outlineOf(given);
  const used = usedTables(given);
  const metas = [...schema.tablesByName.values()].filter(({ name }) => used.has(name));
  const tables = metas.map((meta) => ({
    name: meta.name,
    columns: Object.fromEntries(meta.columns.map((column) => [column.def.name, columnText(column)])),
    indexes: meta.indexes,
    rows: [...(start.get(meta.name)?.values() ?? [])],
  }));
  const whole: CaseText = { tables, query, rest, steps };
  return JSON.stringify(whole, (_, value: unknown) => {
    if (typeof value === "bigint") return { $bigint: String(value) };
    return value instanceof Uint8Array ? { $bytes: [...value] } : value;
  });
}

/** The case of what `encodeCase` made. */
export function decodeCase(encoded: string): Case {
  const { tables, ...rest } = JSON.parse(encoded, (_, value: unknown) => {
    const tagged = value as { $bigint?: string; $bytes?: number[] } | null;
    if (typeof tagged?.$bigint === "string") return BigInt(tagged.$bigint);
    return Array.isArray(tagged?.$bytes) ? new Uint8Array(tagged.$bytes) : value;
  }) as CaseText;
  const made = new Map<string, AnyTable>();
  for (const { name, columns, indexes } of tables) {
    const record = Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, makeColumn(column, made)]));
    const bound = (t: Record<string, AnyColumn>) => indexes.map((index) => index.map((key) => t[key] as AnyColumn));
    made.set(name, table(name, record, { indexes: (t) => bound(t) }));
  }
  const start = new Map(tables.map(({ name, rows }) => [name, new Map(rows.map((row) => [row["id"] as string, row]))]));
  return answered({ ...rest, schema: defineSchema(Object.fromEntries(made)), start });
}

/** The tables that the query reads, that change, and those that they refer to. */
function usedTables({ schema, query, steps }: Case): Set<string> {
  const changed = steps.flatMap(({ changes, overlaid }) => [...changes, ...overlaid.writes].map(({ table: t }) => t));
  const used = new Set([...tablesOf(query), ...changed]);
  // A set that grows while it is walked shows what is added too.
  for (const name of used)
    for (const { def } of schema.tablesByName.get(name)!.columns) if (def.ref) used.add(def.ref.column().def.table);
  return used;
}

const columnText = ({ def }: AnyColumn): string =>
  [def.kind, def.ref?.column().def.table, def.notNull ? undefined : "null", def.unique ? "unique" : undefined]
    .filter((word) => word !== undefined)
    .join(" ");

const makers: Readonly<Record<string, () => AnyColumn>> = {
  id,
  text: () => text(),
  int,
  real,
  timestamp,
  bigint,
  boolean,
  blob,
  json: () => json(),
};

function makeColumn(column: string, made: ReadonlyMap<string, AnyTable>): AnyColumn {
  const [kind = "", target = "", ...rest] = column.split(" ");
  const idOf = (): AnyColumn => metaOf(made.get(target)!).columnsByName.get("id")!;
  const plain = kind === "ref" ? ref(idOf) : makers[kind]!();
  const words = [target, ...rest];
  const marked = words.includes("unique") ? plain.unique() : plain;
  return words.includes("null") ? marked.nullable() : marked;
}
