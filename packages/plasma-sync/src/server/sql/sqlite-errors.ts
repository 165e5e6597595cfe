// Owns: what SQLite's error messages mean, the same for every engine that carries SQLite.

import type { SqlErrorClass } from "../database/sql-executor.ts";

/** The constraint that a message says was broken. */
export interface BrokenConstraint {
  readonly kind: "unique" | "not-null";
  readonly table: string;
  readonly columns: readonly string[];
}

/** The unique or NOT NULL constraint that the message names, or null. */
export function brokenConstraint(message: string): BrokenConstraint | null {
  const [, what, names] = /\b(UNIQUE|NOT NULL) constraint failed: ([\w.]+(?:, [\w.]+)*)/.exec(message) ?? [];
  if (what === undefined || names === undefined) return null;
  const columns = names.split(", ").map((name) => name.slice(name.indexOf(".") + 1));
  return { kind: what === "UNIQUE" ? "unique" : "not-null", table: names.split(".")[0] ?? "", columns };
}

const UNIQUE_CODES = /SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID)\b/;
const DATA_CODES = /SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE)\b/;

/** The class of an error by the name of its SQLite result code (extended when known) and its message. */
export function classifySqlite(code: string, message: string): SqlErrorClass {
  if (UNIQUE_CODES.test(code)) return "unique";
  if (code.includes("SQLITE_CONSTRAINT_NOTNULL")) return "not-null";
  if (code.includes("SQLITE_CONSTRAINT")) return brokenConstraint(message)?.kind ?? "data";
  if (DATA_CODES.test(code) || /\binteger overflow\b/.test(message)) return "data";
  return "retry";
}
