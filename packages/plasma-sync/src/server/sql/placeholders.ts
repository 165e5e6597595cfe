// Owns: withPlaceholders: one text of a statement for both dialects.

import type { DialectName } from "../database/sql-executor.ts";

/**
 * The text with its placeholders as the dialect writes them: `?1`, which stays for SQLite, becomes `$1` for Postgres. For
 * texts of Plasma's own, which hold no literal with a question mark.
 */
export const withPlaceholders = (dialect: DialectName, text: string): string =>
  dialect === "sqlite" ? text : text.replaceAll(/\?(\d+)/g, "$$$1");
