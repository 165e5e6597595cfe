// Owns: writing rows by id: puts and deletes as few statements, in the order given.

import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import type { SqlStatement } from "../database/sql-executor.ts";
import { packJson } from "./json-params.ts";
import { quoteName } from "./sql-text.ts";
import { boundSql, cellSql, toCell, toParam } from "./sql-value.ts";

interface PutTexts {
  readonly one: string;
  readonly many: string;
}

const putTexts = new WeakMap<TableMeta, PutTexts>();

/** Inserts the rows, or replaces those whose id exists. Row by row in the order given, also when ids repeat. */
export function putStatements(meta: TableMeta, rows: readonly Row[]): SqlStatement[] {
  let texts = putTexts.get(meta);
  if (texts === undefined) putTexts.set(meta, (texts = putTextsOf(meta)));
  const [only] = rows;
  if (rows.length === 1 && only !== undefined) {
    return [{ text: texts.one, params: meta.columns.map(({ def }) => toParam(def.kind, only[def.name] ?? null)) }];
  }
  const lists = packJson(rows.map((row) => meta.columns.map(({ def }) => toCell(def.kind, row[def.name] ?? null))));
  return lists.map((list) => ({ text: texts.many, params: [list] }));
}

/** Deletes the rows with these ids. */
export function deleteStatements(table: string, ids: readonly string[]): SqlStatement[] {
  const target = `DELETE FROM ${quoteName(table)} WHERE "id"`;
  if (ids.length === 1) return [{ text: `${target} = ?1`, params: ids }];
  return packJson(ids).map((list) => ({ text: `${target} IN (SELECT value FROM json_each(?1))`, params: [list] }));
}

function putTextsOf(meta: TableMeta): PutTexts {
  const names = meta.columns.map(({ def }) => quoteName(def.name));
  const into = `INSERT INTO ${quoteName(meta.source)} (${names.join(", ")})`;
  const changes = names.filter((name) => name !== '"id"').map((name) => `${name} = excluded.${name}`);
  const conflict = `ON CONFLICT ("id") DO ${changes.length === 0 ? "NOTHING" : `UPDATE SET ${changes.join(", ")}`}`;
  const bound = meta.columns.map(({ def }, i) => boundSql(def.kind, `?${i + 1}`)).join(", ");
  const cells = meta.columns.map(({ def }, i) => cellSql(def.kind, `value->>${i}`)).join(", ");
  return {
    one: `${into} VALUES (${bound}) ${conflict}`,
    // Without a WHERE the parser takes ON for that of a join.
    many: `${into} SELECT ${cells} FROM json_each(?1) WHERE true ${conflict}`,
  };
}
