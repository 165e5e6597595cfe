// Owns: MemoryMutationStore, a MutationStore over Maps with `evaluate`: for tests of mutators and of statement planning.

import { evaluate } from "../query/evaluate.ts";
import type { ResultRow, SelectNode } from "../query/ast.ts";
import type { Row } from "../schema/value.ts";
import type { MutationStore, RowWrite } from "./mutation-store.ts";

export class MemoryMutationStore implements MutationStore {
  readonly tables = new Map<string, Map<string, Row>>();
  /** Selects and look-ups so far. */
  reads = 0;

  rows(table: string): readonly Row[] {
    return [...(this.tables.get(table)?.values() ?? [])];
  }

  async select(query: SelectNode): Promise<readonly ResultRow[]> {
    this.reads += 1;
    return evaluate(query, (table) => this.rows(table));
  }

  async getMany(table: string, ids: readonly string[]): Promise<readonly Row[]> {
    this.reads += 1;
    const rows = this.tables.get(table);
    return ids.map((id) => rows?.get(id)).filter((row) => row !== undefined);
  }

  async write(writes: readonly RowWrite[]): Promise<void> {
    for (const { table, id, after } of writes) {
      const rows = this.tables.get(table) ?? new Map<string, Row>();
      this.tables.set(table, rows);
      if (after === null) rows.delete(id);
      else rows.set(id, after);
    }
  }
}
