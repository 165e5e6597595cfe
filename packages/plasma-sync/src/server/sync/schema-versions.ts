// Owns: what clients of each schema version that the server accepts are sent: that version's tables and columns, no others.
// Invariants:
//   1. Every row that leaves for a version has exactly the columns of its table in that version, each with a value that the
//      version's column takes. What cannot be promised is refused when the handler is made, not at a request.
//   2. Only what is sent differs. Rules are asked and mutators run with the current schema, whoever pushes or pulls.

import type { PatchOp, WireRow } from "../../core/protocol/pull.ts";
import type { AnyColumn } from "../../core/schema/column.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { encodeRow } from "../../core/schema/wire-row.ts";
import { serverError } from "../server-error.ts";

/** How the current schema's patch looks to clients of one version. */
export type SchemaView = (patch: readonly PatchOp[]) => readonly PatchOp[];

/**
 * The view of each version that the server answers, the current one included.
 *
 * @throws PlasmaError `server/option` when a version cannot be served from the current schema.
 */
export function schemaViews(current: {
  readonly schema: AnySchema;
  readonly schemaVersion: string;
  readonly acceptSchemaVersions?: { readonly [version: string]: AnySchema };
}): ReadonlyMap<string, SchemaView> {
  const views = new Map<string, SchemaView>();
  for (const [version, schema] of Object.entries(current.acceptSchemaVersions ?? {})) {
    const misfits = misfitsOf(schema, current.schema);
    if (misfits.length > 0)
      throw serverError("server/option", {
        option: "acceptSchemaVersions",
        why: `cannot serve version "${version}" from the current schema: ${misfits.join("; ")}. Leave that version out.`,
      });
    views.set(version, viewOf(schema));
  }
  return views.set(current.schemaVersion, (patch) => patch);
}

function viewOf(schema: AnySchema): SchemaView {
  const missing = new Map(syncedTables(schema).map((meta) => [meta.name, encodeRow(meta, absentRow(meta))]));
  return (patch) =>
    patch.flatMap((op): PatchOp[] => {
      if (op.op === "clear") return [op];
      const absent = missing.get(op.table);
      if (absent === undefined) return [];
      return [op.op === "del" ? op : { ...op, value: columnsOf(absent, op.value) }];
    });
}

/** The row's values of the columns that `absent` has; its own where the row has none. */
function columnsOf(absent: WireRow, row: WireRow): WireRow {
  return Object.fromEntries(Object.entries(absent).map(([column, value]) => [column, row[column] ?? value]));
}

const syncedTables = (schema: AnySchema): TableMeta[] =>
  [...schema.tablesByName.values()].filter((meta) => !meta.changeLogSuppressed);

/** What columns hold that the current schema does not know, or knows as null. */
const absentRow = (meta: TableMeta): Row =>
  Object.fromEntries(
    meta.columns.map(({ def }) => [def.name, def.notNull ? ((def.default?.value ?? null) as Value) : null]),
  );

function misfitsOf(old: AnySchema, current: AnySchema): string[] {
  return syncedTables(old).flatMap((meta) => {
    const now = current.tablesByName.get(meta.name);
    if (now === undefined) return [];
    return meta.columns.flatMap((column) => misfitOf(column, now.columnsByName.get(column.def.name)) ?? []);
  });
}

/** Why a value of the current column, or none, cannot be one of the old column; null when it can. */
function misfitOf({ def }: AnyColumn, now: AnyColumn | undefined): string | null {
  const name = `"${def.table}.${def.name}"`;
  if (now !== undefined && wireForm(now) !== wireForm({ def })) return `${name} was ${def.kind} and is ${now.def.kind}`;
  if (!def.notNull || def.default !== undefined || now?.def.notNull === true) return null;
  return `${name} was never null, and ${now === undefined ? "is gone" : "may be null now"}`;
}

/** Kinds that travel alike are read alike. */
function wireForm({ def: { kind } }: Pick<AnyColumn, "def">): string {
  if (kind === "ref" || kind === "id") return "text";
  return kind === "timestamp" ? "int" : kind;
}
