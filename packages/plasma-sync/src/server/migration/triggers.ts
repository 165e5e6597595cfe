// Owns: the triggers that write the change log, whoever changes a row: a push, raw SQL, a cron job.
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
import { objectName } from "./object-name.ts";

/** Makes the table's triggers what they have to be. */
export function triggerStatements(dialect: DialectName, meta: TableMeta): string[] {
  const create = dialect === "sqlite" ? sqliteTrigger : postgresTrigger;
  const rowTriggers = rowTriggersOf(dialect, meta).flatMap((trigger) => create(meta, trigger));
  return dialect === "sqlite" ? rowTriggers : [...rowTriggers, ...statementTriggers(meta)];
}

interface RowTrigger {
  readonly name: string;
  readonly event: "INSERT" | "UPDATE" | "DELETE";
  readonly when: string;
  readonly body: string;
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
  return [
    { name: "insert", event: "INSERT", when: "1 = 1", body: put("NULL") },
    { name: "update", event: "UPDATE", when: `OLD."id" = NEW."id" AND (${isChanged})`, body: put(image("OLD")) },
    { name: "rename", event: "UPDATE", when: `OLD."id" <> NEW."id"`, body: `${del}; ${put("NULL")}` },
    { name: "delete", event: "DELETE", when: "1 = 1", body: del },
  ];
}

function sqliteTrigger(meta: TableMeta, { name, event, when, body }: RowTrigger): string[] {
  const trigger = quoteName(objectName("_plasma_log", meta.name, name));
  return [
    `DROP TRIGGER IF EXISTS ${trigger}`,
    `CREATE TRIGGER ${trigger} AFTER ${event} ON ${quoteName(meta.name)} WHEN ${when} BEGIN ${body}; END`,
  ];
}

function postgresTrigger(meta: TableMeta, { name, event, when, body }: RowTrigger): string[] {
  const trigger = quoteName(objectName("_plasma_log", meta.name, name));
  return [
    functionSql(trigger, body),
    `CREATE OR REPLACE TRIGGER ${trigger} AFTER ${event} ON ${quoteName(meta.name)} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION ${trigger}()`,
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

/** Tables are found where they are now, whatever search path a writer has. */
const functionSql = (name: string, body: string): string =>
  `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $plasma$ BEGIN ${body}; RETURN NULL; END $plasma$`;

interface LogRow {
  readonly row: "NEW" | "OLD" | "gone";
  readonly op: "put" | "del";
  readonly value: string;
  readonly before: string;
}

const clockMs: { readonly [dialect in DialectName]: string } = {
  sqlite: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
  postgres: "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
};

/** One row, `origin`, of nulls where no push is at work. */
const originFrom: { readonly [dialect in DialectName]: string } = {
  sqlite: "(SELECT 1) LEFT JOIN _plasma_origin_context AS origin ON origin.id = 1",
  postgres:
    "json_to_record(coalesce(nullif(current_setting('plasma.origin', true), ''), '{}')::json) " +
    "AS origin(client_group_id text, client_id text, replica_id text, mutation_id bigint, now bigint)",
};

function logSql(dialect: DialectName, meta: TableMeta, { row, op, value, before }: LogRow): string {
  return (
    `INSERT INTO _plasma_changes (table_name, row_id, op, value, before, created_at, client_group_id, client_id, replica_id, mutation_id, tag) ` +
    `SELECT ${quoteText(meta.name)}, ${row}."id", '${op}', ${value}, ${before}, ` +
    `coalesce(origin.now, ${clockMs[dialect]}), ` +
    `origin.client_group_id, origin.client_id, origin.replica_id, origin.mutation_id, ${tagSql[dialect]} ` +
    `FROM ${originFrom[dialect]}`
  );
}
