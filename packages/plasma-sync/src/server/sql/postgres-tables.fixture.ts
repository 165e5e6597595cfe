// Owns: tables of a schema on Postgres, as queries need them: columns of the right types, text in the collation "C".

import type { TableMeta } from "../../core/schema/table.ts";
import { compareFamily, type Row } from "../../core/schema/value.ts";
import type { SqlStatement } from "../database/sql-executor.ts";
import { quoteName } from "./sql-text.ts";
import { postgresType, toParam } from "./sql-value.ts";

export function postgresTable(meta: TableMeta): SqlStatement {
  const columns = meta.columns.map(({ def }) => {
    const collation = compareFamily(def.kind) === "text" ? ' COLLATE "C"' : "";
    const constraint = def.kind === "id" ? " PRIMARY KEY" : def.notNull ? " NOT NULL" : "";
    return `${quoteName(def.name)} ${postgresType(def.kind)}${collation}${constraint}`;
  });
  return { text: `CREATE TABLE ${quoteName(meta.name)} (${columns.join(", ")})`, params: [] };
}

export function postgresInsert(meta: TableMeta, row: Row): SqlStatement {
  const values = meta.columns.map(({ def }, i) => `$${i + 1}::${postgresType(def.kind)}`);
  return {
    text: `INSERT INTO ${quoteName(meta.name)} VALUES (${values.join(", ")})`,
    params: meta.columns.map(({ def }) => toParam(def.kind, row[def.name] ?? null)),
  };
}
