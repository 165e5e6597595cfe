// Owns: what a subquery in FROM looks like as a table.

import { must } from "../lib/assert.ts";
import { Column } from "../schema/column.ts";
import type { AnySchema } from "../schema/schema.ts";
import type { TableMeta } from "../schema/table.ts";
import type { SelectNode, SourceNode } from "./ast.ts";

/** The subquery's result as a table called `name`; `first` is the table of its own FROM. */
export function derivedTable(name: string, query: SelectNode, first: TableMeta): TableMeta {
  const fields =
    query.projection?.map(({ key, column }) => ({ key, kind: column.kind })) ??
    first.columns.map(({ def }) => ({ key: def.name, kind: def.kind }));
  const columns = fields.map(({ key, kind }) => {
    const plain = { unique: false, encrypted: false, default: undefined, values: undefined, ref: undefined } as const;
    // What was an id need not be one here.
    const own = kind === "id" ? "text" : kind;
    return new Column({ ...plain, kind: own, table: name, name: key, notNull: false, file: undefined });
  });
  return {
    name,
    source: name,
    columns,
    columnsByName: new Map(columns.map((column) => [column.def.name, column])),
    auth: {},
    resolveConflict: undefined,
    indexes: [],
    unique: [],
    changeLogSuppressed: false,
    isDerived: true,
  };
}

/** The table that a source's rows come from. */
export function tableOfSource({ name, table, query }: SourceNode, schema: AnySchema): TableMeta {
  if (query !== undefined) return derivedTable(name, query, tableOfSource(query.from, schema));
  return must(schema.tablesByName.get(table), "query: the builder refuses unknown tables");
}
