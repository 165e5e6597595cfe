// Owns: the checks made when tables are gathered into a schema: keys, names without case, targets of refs.

import { PlasmaError } from "../error.ts";
import type { AnyColumn, ColumnDef } from "./column.ts";
import { metaOf, TABLE_META, type AnyTable } from "./table.ts";

/** Checks what can only be seen across tables. */
export function checkSchema(tables: { readonly [name: string]: AnyTable }): void {
  const seen = new Set<string>();
  for (const [key, table] of Object.entries(tables)) {
    if (typeof table !== "object" || table === null || !(TABLE_META in table))
      throw new PlasmaError("schema/not-a-table", { key });
    const { name } = metaOf(table);
    if (name !== key) throw new PlasmaError("schema/key", { key, table: name });
    if (seen.has(name.toLowerCase())) throw new PlasmaError("schema/duplicate", { what: "table", name });
    seen.add(name.toLowerCase());
  }
  for (const table of Object.values(tables)) for (const { def } of metaOf(table).columns) checkRef(def, tables);
}

function checkRef(def: ColumnDef, tables: { readonly [name: string]: AnyTable }): void {
  if (def.ref === undefined) return;
  const refuse = (why: string): never => {
    throw new PlasmaError("schema/ref-target", { table: def.table, column: def.name, why });
  };
  const target = (def.ref.column() as AnyColumn | undefined)?.def;
  if (target === undefined || target.table === "") return refuse("does not return a column of a table");
  if (target.kind !== "id") refuse(`points at "${target.table}.${target.name}", which is not an id column`);
  const [own, parent] = [tables[def.table], tables[target.table]];
  if (own === undefined || parent === undefined)
    return refuse(`points at the table "${target.table}", which is not in the schema`);
  checkLocalOnly(def, metaOf(own).changeLogSuppressed, metaOf(parent).changeLogSuppressed);
}

/** What a delete does to other rows must be the same on the server, which has no local-only tables. */
function checkLocalOnly({ table, name, ref }: ColumnDef, isLocal: boolean, isParentLocal: boolean): void {
  const onDelete = ref?.onDelete ?? "noAction";
  const refuse = (why: string): never => {
    throw new PlasmaError("schema/modifier", { table, column: name, why });
  };
  if (!isLocal && isParentLocal && onDelete !== "noAction")
    refuse(`onDelete "${onDelete}" cannot work on the server: it refers to a local-only table. Leave onDelete out.`);
  if (isLocal && !isParentLocal && onDelete === "restrict")
    refuse(`a row of a local-only table cannot restrict a delete: the server has none. Use "cascade" or "setNull".`);
}
