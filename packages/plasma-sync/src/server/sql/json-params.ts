// Owns: arrays as JSON parameters: any number of items in one or a few bound values.

import { utf8SizeBytes } from "../../core/lib/utf8.ts";
import * as limits from "../../core/limits.ts";
import type { DialectName } from "../database/sql-executor.ts";

/** A table of one column, `value`: the items of the JSON array that is bound to the placeholder. */
export const jsonItems = (dialect: DialectName, placeholder: string): string =>
  dialect === "sqlite" ? `json_each(${placeholder})` : `jsonb_array_elements(${placeholder}::jsonb)`;

/** The same of an array that holds only texts, as SQL's text. */
export const jsonTexts = (dialect: DialectName, placeholder: string): string =>
  dialect === "sqlite" ? `json_each(${placeholder})` : `jsonb_array_elements_text(${placeholder}::jsonb)`;

/** JSON arrays that together hold the items, in order, each within the size bound. One item alone may exceed it. */
export function packJson(items: readonly unknown[]): string[] {
  const params: string[] = [];
  let parts: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const part = JSON.stringify(item);
    const partBytes = utf8SizeBytes(part) + 1;
    if (parts.length > 0 && bytes + partBytes > limits.sqlJsonParamBytesMax) {
      params.push(`[${parts.join(",")}]`);
      parts = [];
      bytes = 0;
    }
    parts.push(part);
    bytes += partBytes;
  }
  if (parts.length > 0) params.push(`[${parts.join(",")}]`);
  return params;
}
