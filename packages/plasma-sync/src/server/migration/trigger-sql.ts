// Owns: the pieces of which triggers are made on both dialects: their frames, the clock, and whose push is at work.

import type { TableMeta } from "../../core/schema/table.ts";
import type { DialectName } from "../database/sql-executor.ts";
import { quoteName } from "../sql/sql-text.ts";
import { objectName } from "./object-name.ts";

/** A trigger that fires after each row of a change. */
export interface RowTrigger {
  /** The first part of its name: whose it is. */
  readonly group: string;
  /** The last part. */
  readonly name: string;
  readonly event: "INSERT" | "UPDATE" | "DELETE";
  readonly when: string;
  readonly body: string;
}

/** The statements that make it what it has to be. */
export function rowTriggerStatements(dialect: DialectName, meta: TableMeta, trigger: RowTrigger): string[] {
  const { group, event, when, body } = trigger;
  const name = quoteName(objectName(group, meta.name, trigger.name));
  const on = `AFTER ${event} ON ${quoteName(meta.name)}`;
  if (dialect === "sqlite") {
    return [`DROP TRIGGER IF EXISTS ${name}`, `CREATE TRIGGER ${name} ${on} WHEN ${when} BEGIN ${body}; END`];
  }
  return [
    functionSql(name, body),
    `CREATE OR REPLACE TRIGGER ${name} ${on} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION ${name}()`,
  ];
}

/** For Postgres. Tables are found where they are now, whatever search path a writer has. */
export const functionSql = (name: string, body: string): string =>
  `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $plasma$ BEGIN ${body}; RETURN NULL; END $plasma$`;

const clockMs: { readonly [dialect in DialectName]: string } = {
  sqlite: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
  postgres: "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
};

/** One row, `origin`, of nulls where no push is at work. */
export const originFrom: { readonly [dialect in DialectName]: string } = {
  sqlite: "(SELECT 1) LEFT JOIN _plasma_origin_context AS origin ON origin.id = 1",
  postgres:
    "json_to_record(coalesce(nullif(current_setting('plasma.origin', true), ''), '{}')::json) " +
    "AS origin(client_group_id text, client_id text, replica_id text, mutation_id bigint, now bigint)",
};

/** Milliseconds since the epoch, beside `originFrom`: the push's own, else the database's. */
export const nowSql = (dialect: DialectName): string => `coalesce(origin.now, ${clockMs[dialect]})`;
