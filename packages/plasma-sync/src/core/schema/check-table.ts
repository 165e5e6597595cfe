// Owns: the checks made when a table is defined. Each throws an error that says what to write instead.

import { PlasmaError } from "../error.ts";
import { expectation } from "./check-value.ts";
import { Column, type AnyColumn, type ColumnDef } from "./column.ts";
import { isJsonKind } from "./value.ts";

/** Throws `schema/name` for a name that SQL, Plasma or JavaScript (every object has a `constructor`) could not use. */
export function checkName(what: string, name: string): void {
  const isUsable = typeof name === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !(name in Object.prototype);
  if (!isUsable || name.toLowerCase().startsWith("_plasma_")) {
    throw new PlasmaError("schema/name", { what, name: String(name) });
  }
}

/** Checks a table's name and its columns one by one. Refs are not followed: their tables may not exist yet. */
export function checkColumns(table: string, columns: { readonly [name: string]: AnyColumn }): void {
  checkName("table", table);
  const seen = new Set<string>();
  for (const [name, column] of Object.entries(columns)) {
    checkName("column", name);
    // SQL compares names without case.
    if (seen.has(name.toLowerCase()))
      throw new PlasmaError("schema/duplicate", { what: "column", name: `${table}.${name}` });
    seen.add(name.toLowerCase());
    if (!(column instanceof Column)) throw new PlasmaError("schema/not-a-column", { table, column: name });
    checkColumn({ ...column.def, table, name });
  }
  const ids = Object.entries(columns).filter(([, column]) => column.def.kind === "id");
  if (ids.length !== 1 || ids[0]?.[0] !== "id") {
    throw new PlasmaError("schema/id-column", { table, found: ids.map(([name]) => name) });
  }
}

function checkColumn(def: ColumnDef): void {
  const { table, name: column, kind } = def;
  const refuse = (why: string): never => {
    throw new PlasmaError("schema/modifier", { table, column, why });
  };
  const isCrdt = kind.startsWith("crdt");
  if (kind === "id" && (!def.notNull || def.unique || def.default !== undefined))
    refuse("an id is never null, always unique, and made by newId(). Leave the modifier out.");
  if (def.encrypted !== false && (kind === "id" || kind === "ref" || isCrdt))
    refuse("id, ref and CRDT columns cannot be encrypted. Leave .encrypted() out.");
  if (def.unique && def.encrypted !== false) refuse("an encrypted column cannot be unique. Leave one of the two out.");
  if (def.unique && isJsonKind(kind)) refuse(`a ${kind} column cannot be unique. Leave .unique() out.`);
  if (def.ref?.onDelete === "setNull" && def.notNull)
    refuse('onDelete "setNull" needs a nullable column. Write ref(…).nullable().');
  const upload: string | undefined = def.file?.upload;
  if (upload !== undefined && upload !== "proxy") throw new PlasmaError("schema/file-upload", { upload });
  const problem = def.file?.rules.optionProblem(def.file) ?? null;
  if (problem !== null) throw new PlasmaError("schema/file-option", { table, column, ...problem });
  if (def.default !== undefined && !isCrdt) checkDefault(def, def.default.value);
}

function checkDefault(def: ColumnDef, value: unknown): void {
  if (value === null && !def.notNull) return;
  const expected = value === null || value === undefined ? "a value" : expectation(def, value);
  if (expected !== null) throw new PlasmaError("schema/default", { table: def.table, column: def.name, expected });
}

/** Checks the lists of the table's `indexes` and `unique` options. */
export function checkIndexes(table: string, lists: readonly (readonly AnyColumn[])[]): void {
  for (const list of lists) {
    for (const column of list) {
      const def = (column as AnyColumn | undefined)?.def;
      const refuse = (why: string): never => {
        throw new PlasmaError("schema/index", { table, column: def?.name ?? String(column), why });
      };
      if (def === undefined || def.table !== table)
        return refuse("it is not a column of this table. Use columns of the function's argument.");
      if (isJsonKind(def.kind)) refuse(`${def.kind} columns have no order. Use another column.`);
      if (def.encrypted !== false) refuse("no index holds the plaintext of an encrypted column. Use another column.");
    }
  }
}
