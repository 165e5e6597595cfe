// Owns: rows of subqueries' results as a source holds them: with their key, beside what they show.

import type { ResultRow } from "../../core/query/ast.ts";
import type { Row } from "../../core/schema/value.ts";
import { KEY } from "./source.ts";

/** The row with its key, for a source. */
export const keyed = (key: string, row: ResultRow): Row => ({ ...(row as Row), [KEY]: key });

/** What the row shows: a new object, because two results never share one. */
export function shownRow(row: Row | null): Row | null {
  if (row === null) return null;
  const { [KEY]: _, ...shown } = row;
  return shown;
}
