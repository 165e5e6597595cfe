// Owns: the warning to a developer whose mutator reads a local-only table on the server, where it is always empty. Development
// builds only; once for each mutator and table of a schema.

import { isDevelopment } from "../../core/lib/development.ts";
import type { SelectNode } from "../../core/query/ast.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { AnySchema } from "../../core/schema/schema.ts";

const toldBySchema = new WeakMap<AnySchema, Set<string>>();

/** Says so if a mutator's select reads a local-only table. */
export function warnOfLocalOnlyRead(schema: AnySchema, mutator: string, query: SelectNode): void {
  if (!isDevelopment) return;
  for (const table of tablesOf(query)) {
    if (schema.tablesByName.get(table)?.changeLogSuppressed !== true) continue;
    const told = toldBySchema.get(schema) ?? new Set();
    toldBySchema.set(schema, told);
    if (told.has(`${mutator} ${table}`)) continue;
    told.add(`${mutator} ${table}`);
    // oxlint-disable-next-line no-console -- nothing has failed, so there is no error to report: it is for whoever watches the server
    console.warn(
      `plasma: mutator "${mutator}" reads the local-only table "${table}" on the server, where it is empty. Pass what it needs as an argument.`,
    );
  }
}
