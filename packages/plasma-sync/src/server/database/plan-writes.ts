// Owns: planWrites: row writes as statements, few of them, that leave the same rows as the writes one by one.
// Invariants:
//   1. Writes of one table keep their order: a unique value may pass from one row to another in the course of a mutation.
//   2. Local-only tables are left out: they do not exist on the server.

import { must } from "../../core/lib/assert.ts";
import type { RowWrite } from "../../core/mutation/mutation-store.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import { deleteStatements, putStatements } from "../sql/row-statements.ts";
import type { DialectName, SqlStatement } from "./sql-executor.ts";

/** Consecutive puts, or deletes, of one table. */
type Run =
  | { readonly table: string; readonly op: "put"; readonly rows: Row[] }
  | { readonly table: string; readonly op: "del"; readonly ids: string[] };

export function planWrites(dialect: DialectName, schema: AnySchema, writes: readonly RowWrite[]): SqlStatement[] {
  const runs: Run[] = [];
  const lastByTable = new Map<string, Run>();
  for (const write of writes) {
    const op = write.after === null ? "del" : "put";
    let run = lastByTable.get(write.table);
    if (run === undefined || run.op !== op) {
      run = op === "put" ? { table: write.table, op, rows: [] } : { table: write.table, op, ids: [] };
      runs.push(run);
      lastByTable.set(write.table, run);
    }
    if (run.op === "put") run.rows.push(must(write.after, "plan writes: a put has a row"));
    else run.ids.push(write.id);
  }
  return runs.flatMap((run) => {
    const meta = must(schema.tablesByName.get(run.table), "plan writes: core writes tables of the schema");
    if (meta.changeLogSuppressed) return [];
    return run.op === "put" ? putStatements(dialect, meta, run.rows) : deleteStatements(dialect, run.table, run.ids);
  });
}
