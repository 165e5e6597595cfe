// Owns: engine errors as PlasmaErrors: what refuses a mutation and what makes the push try again.

import { PlasmaError } from "../../core/error.ts";
import { brokenPostgresConstraint } from "../sql/postgres-errors.ts";
import { brokenConstraint } from "../sql/sqlite-errors.ts";
import type { SqlErrorClass, SqlExecutor } from "./sql-executor.ts";
import { serverError } from "../server-error.ts";

/** Whether errors of this class are the mutation's own fault. */
export const isRefusal = (errorClass: SqlErrorClass): boolean => errorClass !== "retry" && errorClass !== "conflict";

/** The error as a mutation or push ends with it; the engine's own is its `cause`. */
export function classifiedError(executor: SqlExecutor, cause: unknown): PlasmaError {
  const errorClass = executor.classify(cause);
  if (!isRefusal(errorClass)) return serverError("server/retry", {}, { cause });
  const { table, columns } = executor.dialect === "sqlite" ? brokenInSqlite(cause) : brokenInPostgres(cause);
  if (errorClass === "unique")
    return new PlasmaError("constraint/unique", { table, columns: columns ?? ["a column"] }, { cause });
  if (errorClass === "not-null")
    return new PlasmaError("constraint/not-null", { table, column: columns?.join(", ") ?? "a column" }, { cause });
  const data = { table, column: columns?.join(", ") ?? "*", expected: "what the database accepts", got: REFUSED };
  return new PlasmaError("data/invalid", data, { cause });
}

const REFUSED = "what it refused";
const SOMEWHERE = "the database";

interface Place {
  readonly table: string;
  /** Absent when the engine does not tell. */
  readonly columns?: readonly string[];
}

function brokenInSqlite(cause: unknown): Place {
  const message = String((cause as { readonly message?: unknown }).message);
  const broken = brokenConstraint(message);
  if (broken !== null) return broken;
  const [, table, column] = /column (\w+)\.(\w+)/.exec(message) ?? [];
  return table === undefined || column === undefined ? { table: SOMEWHERE } : { table, columns: [column] };
}

function brokenInPostgres(cause: unknown): Place {
  const broken = brokenPostgresConstraint(cause);
  if (broken !== null) return broken;
  const { table_name: table } = cause as { readonly table_name?: unknown };
  return { table: typeof table === "string" ? table : SOMEWHERE };
}
