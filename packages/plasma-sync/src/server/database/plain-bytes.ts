// Owns: binary values as plain Uint8Arrays. Node's packages return Buffers, whose `slice`, `toString` and JSON differ.

import type { SqlRow } from "./sql-executor.ts";

/** The rows, which are changed in place: each Buffer becomes a Uint8Array over the same bytes. */
export function plainBytes(rows: readonly unknown[]): readonly SqlRow[] {
  for (const row of rows as { [column: string]: unknown }[]) {
    for (const column in row) {
      const value = row[column];
      if (value instanceof Uint8Array) row[column] = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    }
  }
  return rows as readonly SqlRow[];
}
