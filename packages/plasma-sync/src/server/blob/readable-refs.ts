// Owns: which refs a caller can read: whose row is there, holds the hash still, and is shown by the table's read rule.

import type { Expr, ResultRow, SelectNode } from "../../core/query/ast.ts";
import * as limits from "../../core/limits.ts";
import { selectWhere } from "../../core/query/select-where.ts";
import type { FileRef, Row } from "../../core/schema/value.ts";
import { hasID } from "../database/table-reads.ts";
import type { ReadRules } from "../sync/read-rules.ts";
import type { BlobRef } from "./blob-records.ts";

type Select = (query: SelectNode) => Promise<readonly ResultRow[]>;

/** Hash → a FileRef that the caller can read, for those of which there is one. Asks for few rows at a time. */
export async function readableFiles(
  rules: ReadRules,
  refs: readonly BlobRef[],
  select: Select,
): Promise<ReadonlyMap<string, FileRef>> {
  const found = new Map<string, FileRef>();
  for (const [table, ofTable] of Map.groupBy(refs, (ref) => ref.table)) {
    for (let i = 0; i < ofTable.length; i += limits.blobRefsPerLookup) {
      const some = ofTable.slice(i, i + limits.blobRefsPerLookup).filter(({ hash }) => !found.has(hash));
      if (some.length > 0) await look(rules, { table, refs: some, select, found });
    }
  }
  return found;
}

interface LookUp {
  readonly table: string;
  readonly refs: readonly BlobRef[];
  readonly select: Select;
  readonly found: Map<string, FileRef>;
}

async function look(rules: ReadRules, { table, refs, select, found }: LookUp): Promise<void> {
  const meta = rules.schema.tablesByName.get(table);
  // A table of another version of the schema, which this one cannot judge.
  if (meta === undefined || meta.changeLogSuppressed) return;
  const rule = rules.of(meta);
  const ids = hasID(table, [...new Set(refs.map(({ rowID }) => rowID))]);
  const where: Expr = rule.where === null ? ids : { type: "and", args: [ids, rule.where] };
  const rows = (await select(selectWhere(table, where))) as readonly Row[];
  const seen = new Map(rows.filter((row) => rule.type === "query" || rule.sees(row)).map((row) => [row["id"], row]));
  for (const { rowID, column, hash } of refs) {
    const file = seen.get(rowID)?.[column] as FileRef | null | undefined;
    if (file?.hash === hash) found.set(hash, file);
  }
}
