// Owns: writing rows by id: puts and deletes as few statements, in the order given.

import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import type { DialectName, SqlStatement } from "../database/sql-executor.ts";
import { jsonItems, jsonTexts, packJson } from "./json-params.ts";
import { withPlaceholders } from "./placeholders.ts";
import { quoteName } from "./sql-text.ts";
import { boundSql, cellSql, postgresBoundSql, postgresCellSql, toCell, toParam } from "./sql-value.ts";

interface PutTexts {
  readonly one: string;
  readonly many: string;
}

const putTexts = {
  sqlite: new WeakMap<TableMeta, PutTexts>(),
  postgres: new WeakMap<TableMeta, PutTexts>(),
} satisfies { readonly [dialect in DialectName]: WeakMap<TableMeta, PutTexts> };

/** Inserts the rows, or replaces those whose id exists. Row by row in the order given, also when ids repeat. */
export function putStatements(dialect: DialectName, meta: TableMeta, rows: readonly Row[]): SqlStatement[] {
  const known = putTexts[dialect];
  let texts = known.get(meta);
  if (texts === undefined) known.set(meta, (texts = putTextsOf(dialect, meta)));
  const { one, many } = texts;
  return runsOf(dialect, rows).flatMap((run) => {
    const [only] = run;
    if (run.length === 1 && only !== undefined) {
      return [{ text: one, params: meta.columns.map(({ def }) => toParam(def.kind, only[def.name] ?? null)) }];
    }
    const lists = packJson(run.map((row) => meta.columns.map(({ def }) => toCell(def.kind, row[def.name] ?? null))));
    return lists.map((list) => ({ text: many, params: [list] }));
  });
}

/** What one statement may write: Postgres refuses to update a row twice in one. */
function runsOf(dialect: DialectName, rows: readonly Row[]): (readonly Row[])[] {
  if (dialect === "sqlite") return [rows];
  const runs: Row[][] = [];
  let ids = new Set<unknown>();
  for (const row of rows) {
    const run = runs.at(-1);
    if (run === undefined || ids.has(row["id"])) {
      runs.push([row]);
      ids = new Set();
    } else run.push(row);
    ids.add(row["id"]);
  }
  return runs;
}

/** Deletes the rows with these ids. */
export function deleteStatements(dialect: DialectName, table: string, ids: readonly string[]): SqlStatement[] {
  const target = `DELETE FROM ${quoteName(table)} WHERE "id"`;
  if (ids.length === 1) return [{ text: withPlaceholders(dialect, `${target} = ?1`), params: ids }];
  const text = withPlaceholders(dialect, `${target} IN (SELECT value FROM ${jsonTexts(dialect, "?1")})`);
  return packJson(ids).map((list) => ({ text, params: [list] }));
}

function putTextsOf(dialect: DialectName, meta: TableMeta): PutTexts {
  const [bound, cell] = dialect === "sqlite" ? [boundSql, cellSql] : [postgresBoundSql, postgresCellSql];
  const names = meta.columns.map(({ def }) => quoteName(def.name));
  const into = `INSERT INTO ${quoteName(meta.source)} (${names.join(", ")})`;
  const changes = names.filter((name) => name !== '"id"').map((name) => `${name} = excluded.${name}`);
  const conflict = `ON CONFLICT ("id") DO ${changes.length === 0 ? "NOTHING" : `UPDATE SET ${changes.join(", ")}`}`;
  const values = meta.columns.map(({ def }, i) => bound(def.kind, `?${i + 1}`)).join(", ");
  const cells = meta.columns.map(({ def }, i) => cell(def.kind, `value->>${i}`)).join(", ");
  return {
    one: withPlaceholders(dialect, `${into} VALUES (${values}) ${conflict}`),
    // Without a WHERE the parser of SQLite takes ON for that of a join.
    many: withPlaceholders(dialect, `${into} SELECT ${cells} FROM ${jsonItems(dialect, "?1")} WHERE true ${conflict}`),
  };
}
