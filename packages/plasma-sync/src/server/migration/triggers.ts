// Owns: the triggers of a table; here those that write the change log, whoever changes a row: a push, raw SQL, a cron job.
// Invariants:
//   1. Every insert, update and delete of a synced row is one log row with the images before and after; an update that
//      changes nothing is none; a changed id is a del and a put.
//   2. On Postgres a statement holds the log's order (log-order.ts) before it locks a row, so that it and a push cannot each
//      wait for what the other has. A TRUNCATE is a del of every row.
//   3. Not seen: rows that SQLite's `INSERT OR REPLACE` throws out, as it fires no delete trigger for them. Use an upsert.

import type { TableMeta } from "../../core/schema/table.ts";
import { LOG_ORDER_FUNCTION } from "../database/log-order.ts";
import type { DialectName } from "../database/sql-executor.ts";
import { tagSql } from "../sql/log-tag.ts";
import { balanced, quoteName, quoteText } from "../sql/sql-text.ts";
import { imageSql } from "./log-image.ts";
import { fileTriggerStatements } from "./file-triggers.ts";
import { objectName } from "./object-name.ts";
import { functionSql, nowSql, originFrom, rowTriggerStatements, type RowTrigger } from "./trigger-sql.ts";

/** Makes the table's triggers what they have to be. */
export function triggerStatements(dialect: DialectName, meta: TableMeta): string[] {
  const rowTriggers = rowTriggersOf(dialect, meta).flatMap((trigger) => rowTriggerStatements(dialect, meta, trigger));
  const ofStatements = dialect === "sqlite" ? [] : statementTriggers(meta);
  return [...rowTriggers, ...ofStatements, ...fileTriggerStatements(dialect, meta)];
}

function rowTriggersOf(dialect: DialectName, meta: TableMeta): RowTrigger[] {
  const differs = dialect === "sqlite" ? "IS NOT" : "IS DISTINCT FROM";
  const isChanged = balanced(
    meta.columns.map(({ def }) => `OLD.${quoteName(def.name)} ${differs} NEW.${quoteName(def.name)}`),
    "OR",
  );
  const image = (row: string) => imageSql(dialect, meta, row);
  const put = (before: string) => logSql(dialect, meta, { row: "NEW", op: "put", value: image("NEW"), before });
  const del = logSql(dialect, meta, { row: "OLD", op: "del", value: "NULL", before: image("OLD") });
  const group = "_plasma_log";
  return [
    { group, name: "insert", event: "INSERT", when: "1 = 1", body: put("NULL") },
    { group, name: "update", event: "UPDATE", when: `OLD."id" = NEW."id" AND (${isChanged})`, body: put(image("OLD")) },
    { group, name: "rename", event: "UPDATE", when: `OLD."id" <> NEW."id"`, body: `${del}; ${put("NULL")}` },
    { group, name: "delete", event: "DELETE", when: "1 = 1", body: del },
  ];
}

/** For Postgres: those that fire before a statement. */
function statementTriggers(meta: TableMeta): string[] {
  const table = quoteName(meta.name);
  const order = quoteName(objectName("_plasma_order", meta.name));
  const truncate = quoteName(objectName("_plasma_log", meta.name, "truncate"));
  const entry = { row: "gone", op: "del", value: "NULL", before: imageSql("postgres", meta, "gone") } as const;
  const hold = `EXECUTE FUNCTION ${quoteName(LOG_ORDER_FUNCTION)}()`;
  return [
    `CREATE OR REPLACE TRIGGER ${order} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${table} FOR EACH STATEMENT ${hold}`,
    functionSql(truncate, `${logSql("postgres", meta, entry)}, ${table} AS gone`),
    // Fired after the one above: triggers fire by name.
    `CREATE OR REPLACE TRIGGER ${quoteName(objectName("_plasma_truncate", meta.name))} BEFORE TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION ${truncate}()`,
  ];
}

interface LogRow {
  readonly row: "NEW" | "OLD" | "gone";
  readonly op: "put" | "del";
  readonly value: string;
  readonly before: string;
}

function logSql(dialect: DialectName, meta: TableMeta, { row, op, value, before }: LogRow): string {
  return (
    `INSERT INTO _plasma_changes (table_name, row_id, op, value, before, created_at, client_group_id, client_id, replica_id, mutation_id, tag) ` +
    `SELECT ${quoteText(meta.name)}, ${row}."id", '${op}', ${value}, ${before}, ` +
    `${nowSql(dialect)}, ` +
    `origin.client_group_id, origin.client_id, origin.replica_id, origin.mutation_id, ${tagSql[dialect]} ` +
    `FROM ${originFrom[dialect]}`
  );
}
