// Owns: engine errors as PlasmaErrors: what refuses a mutation and what makes the push try again.

import { PlasmaError } from "../../core/error.ts";
import { brokenConstraint } from "../sql/sqlite-errors.ts";
import type { SqlErrorClass, SqlExecutor } from "./sql-executor.ts";
import { serverError } from "../server-error.ts";

/** Whether errors of this class are the mutation's own fault. */
export const isRefusal = (errorClass: SqlErrorClass): boolean => errorClass !== "retry" && errorClass !== "conflict";

/** The error as a mutation or push ends with it; the engine's own is its `cause`. */
export function classifiedError(executor: SqlExecutor, cause: unknown): PlasmaError {
  const errorClass = executor.classify(cause);
  if (!isRefusal(errorClass)) return serverError("server/retry", {}, { cause });
  const message = String((cause as { readonly message?: unknown }).message);
  const broken = brokenConstraint(message);
  const table = broken?.table ?? "the database";
  const columns = broken?.columns ?? ["a column"];
  if (errorClass === "unique") return new PlasmaError("constraint/unique", { table, columns }, { cause });
  if (errorClass === "not-null")
    return new PlasmaError("constraint/not-null", { table, column: columns.join(", ") }, { cause });
  const [, typedTable, typedColumn] = /column (\w+)\.(\w+)/.exec(message) ?? [];
  const data = {
    table: typedTable ?? table,
    column: typedColumn ?? "*",
    expected: "what the database accepts",
    got: "what it refused",
  };
  return new PlasmaError("data/invalid", data, { cause });
}
