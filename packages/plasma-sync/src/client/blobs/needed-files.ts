// Owns: which files this device must keep: those that it may be the only one to have.

import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { FileRef } from "../../core/schema/value.ts";
import type { PendingMutation } from "../replica/pending-mutation.ts";

/** Hashes of files of pending mutations, of all tabs, and of rows of local-only tables. */
export function neededFiles(
  schema: AnySchema,
  pending: readonly PendingMutation[],
  runtime: QueryRuntime,
): ReadonlySet<string> {
  const hashes = new Set(pending.flatMap(({ entry }) => entry.files ?? []));
  for (const { name, columns, changeLogSuppressed } of schema.tablesByName.values()) {
    const fileColumns = columns.filter(({ def }) => def.kind === "file");
    if (!changeLogSuppressed || fileColumns.length === 0) continue;
    for (const row of runtime.source(name).rows()) {
      for (const { def } of fileColumns) {
        const ref = row[def.name] as FileRef | null;
        if (ref !== null) hashes.add(ref.hash);
      }
    }
  }
  return hashes;
}
