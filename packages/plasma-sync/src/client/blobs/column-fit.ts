// Owns: what the schema's file columns say of a file whose column is not known yet: at `mutate` only the args are.
// The exact check is at the write, on both sides (core/schema/file-policy.ts).

import { PlasmaError } from "../../core/error.ts";
import { policyProblem } from "../../core/schema/file-policy.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { FileFacts } from "./file-facts.ts";

const fileColumns = (schema: AnySchema) =>
  [...schema.tablesByName.values()].flatMap(({ columns }) => columns.filter(({ def }) => def.kind === "file"));

/** Throws `blob/refused` when no column takes such a file, so that it is not read, hashed and stored for nothing. */
export function refuseUnlessTaken(schema: AnySchema, facts: FileFacts, mutatorName: string): void {
  const problems: string[] = [];
  for (const { def } of fileColumns(schema)) {
    const problem = policyProblem(def.file ?? {}, facts);
    if (problem === null) return;
    problems.push(`for "${def.table}.${def.name}", ${problem}`);
  }
  const what = `The file "${facts.name ?? ""}" in the args of "${mutatorName}"`;
  throw new PlasmaError("blob/refused", { what, why: problems.join("; ") || "the schema has no file() column" });
}

/** Files of fewer bytes may ride inside a FileRef whatever column they are for. */
export const inlineBytesBelow = (schema: AnySchema): number =>
  Math.min(Infinity, ...fileColumns(schema).map(({ def }) => def.file?.inlineThreshold ?? 0));
