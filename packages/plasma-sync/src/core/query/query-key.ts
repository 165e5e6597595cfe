// Owns: `queryKey`: equal texts for equal queries.

import type { SelectNode } from "./ast.ts";

/** A text that two queries share exactly when they are the same query. */
export const queryKey = (query: SelectNode): string => JSON.stringify(query, tagValue);

function tagValue(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (value instanceof Uint8Array) return { $bytes: [...value] };
  return value;
}
