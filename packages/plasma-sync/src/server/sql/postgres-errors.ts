// Owns: what the errors of Postgres mean, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
// Messages are in the server's language and hold values of rows: only codes, names and the shape of `detail` are read.

import type { SqlErrorClass } from "../database/sql-executor.ts";
import type { BrokenConstraint } from "./sqlite-errors.ts";

/** The fields of a server's error as the package gives them; all absent on any other error. */
interface PostgresError {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly table_name?: unknown;
  readonly column_name?: unknown;
  readonly detail?: unknown;
}

const UNIQUE = "23505";
const NOT_NULL = "23502";
const CONFLICTS = new Set(["40001", "40P01"]); // serialization_failure, deadlock_detected
/**
 * program_limit_exceeded, and not those of its class that tell of the server: a value is too long for its index (2.7 kB), or
 * a row for its page. It would be so again at each retry, and hold up its client for good.
 */
const TOO_LARGE = "54000";

export function classifyPostgres(error: unknown): SqlErrorClass {
  const { code, severity } = (error ?? {}) as PostgresError;
  if (typeof code !== "string" || severity === undefined) return "retry";
  if (code === UNIQUE) return "unique";
  if (code === NOT_NULL) return "not-null";
  if (CONFLICTS.has(code)) return "conflict";
  return code.startsWith("22") || code.startsWith("23") || code === TOO_LARGE ? "data" : "retry";
}

/** The unique or NOT NULL constraint that the error is about, or null. */
export function brokenPostgresConstraint(error: unknown): BrokenConstraint | null {
  const { code, table_name: table, column_name: column, detail } = (error ?? {}) as PostgresError;
  if (typeof table !== "string") return null;
  if (code === NOT_NULL && typeof column === "string") return { kind: "not-null", table, columns: [column] };
  const columns = code === UNIQUE ? keyColumns(String(detail ?? "")) : [];
  return columns.length === 0 ? null : { kind: "unique", table, columns };
}

/** The names in `Key (a, "ownerId")=(…) already exists.`, whatever the language. */
function keyColumns(detail: string): readonly string[] {
  const [, list] = /\((.+?)\)=\(/.exec(detail) ?? [];
  return list === undefined ? [] : list.split(", ").map((name) => name.replaceAll('"', ""));
}
