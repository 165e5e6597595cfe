// Owns: the triggers that write the change log, whoever changes a row: a push, raw SQL, a cron job.
// Invariants:
//   1. Every insert, update and delete of a synced row is one log row with the images before and after; an update that
//      changes nothing is none; a changed id is a del and a put.
//   2. Not seen: rows that `INSERT OR REPLACE` throws out, as SQLite fires no delete trigger for them. Use an upsert.

import type { TableMeta } from "../../core/schema/table.ts";
import { balanced, quoteName, quoteText } from "../sql/sql-text.ts";
import { imageSql } from "./log-image.ts";

/** Drops and creates the table's triggers. */
export function triggerStatements(meta: TableMeta): string[] {
  const isChanged = balanced(
    meta.columns.map(({ def }) => `OLD.${quoteName(def.name)} IS NOT NEW.${quoteName(def.name)}`),
    "OR",
  );
  const put = (before: string) => logSql(meta, { row: "NEW", op: "put", value: imageSql(meta, "NEW"), before });
  const del = logSql(meta, { row: "OLD", op: "del", value: "NULL", before: imageSql(meta, "OLD") });
  return [
    ...triggerSql(meta, { name: "insert", event: "INSERT", when: "1", body: put("NULL") }),
    ...triggerSql(meta, {
      name: "update",
      event: "UPDATE",
      when: `OLD."id" = NEW."id" AND (${isChanged})`,
      body: put(imageSql(meta, "OLD")),
    }),
    ...triggerSql(meta, {
      name: "rename",
      event: "UPDATE",
      when: `OLD."id" <> NEW."id"`,
      body: `${del}; ${put("NULL")}`,
    }),
    ...triggerSql(meta, { name: "delete", event: "DELETE", when: "1", body: del }),
  ];
}

interface Trigger {
  readonly name: string;
  readonly event: "INSERT" | "UPDATE" | "DELETE";
  readonly when: string;
  readonly body: string;
}

function triggerSql(meta: TableMeta, { name, event, when, body }: Trigger): string[] {
  const trigger = quoteName(`_plasma_log.${meta.name}.${name}`);
  return [
    `DROP TRIGGER IF EXISTS ${trigger}`,
    `CREATE TRIGGER ${trigger} AFTER ${event} ON ${quoteName(meta.name)} WHEN ${when} BEGIN ${body}; END`,
  ];
}

interface LogRow {
  readonly row: "NEW" | "OLD";
  readonly op: "put" | "del";
  readonly value: string;
  readonly before: string;
}

function logSql(meta: TableMeta, { row, op, value, before }: LogRow): string {
  return (
    `INSERT INTO _plasma_changes (table_name, row_id, op, value, before, created_at, client_group_id, client_id, replica_id, mutation_id, tag) ` +
    `SELECT ${quoteText(meta.name)}, ${row}."id", '${op}', ${value}, ${before}, ` +
    `coalesce(origin.now, CAST(unixepoch('subsec') * 1000 AS INTEGER)), ` +
    `origin.client_group_id, origin.client_id, origin.replica_id, origin.mutation_id, lower(hex(randomblob(8))) ` +
    `FROM (SELECT 1) LEFT JOIN _plasma_origin_context AS origin ON origin.id = 1`
  );
}
