// Owns: rows of subqueries' results as a source holds them: with their key, beside what they show.

import type { ResultRow } from "../../core/query/ast.ts";
import type { Row } from "../../core/schema/value.ts";
import { KEY } from "./source.ts";

const shownRows = new WeakMap<Row, Row>();

/** The row with its key, for a source. */
export function keyed(key: string, row: ResultRow): Row {
  const own: Row = { ...(row as Row), [KEY]: key };
  shownRows.set(own, row as Row);
  return own;
}

/** The row as it was without the key. */
export const shownRow = (row: Row | null): Row | null => (row === null ? null : (shownRows.get(row) ?? row));
