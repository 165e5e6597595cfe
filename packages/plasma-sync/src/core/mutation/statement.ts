// Owns: runStatement: what an insert, update or delete means, as row writes on a MutationStore, the same on every engine.
// Invariants:
//   1. A statement that throws has written nothing.
//   2. Look-ups are one per constraint and statement, never one per row.
//   3. `authorize` is asked for the rows that the app named, before and after; cascaded rows are not.

import { PlasmaError } from "../error.ts";
import { must } from "../lib/assert.ts";
import type { DeleteNode, Expr, InsertNode, UpdateNode, WriteNode } from "../query/ast.ts";
import { hasSubquery } from "../query/bind-select.ts";
import { resolveIncrements } from "../query/increment.ts";
import { pinnedIdsOf } from "../query/pinned-ids.ts";
import { compileFilter } from "../query/predicate.ts";
import { selectWhere } from "../query/select-where.ts";
import { completeInsert, mergeUpdate } from "../schema/complete-row.ts";
import type { AnySchema } from "../schema/schema.ts";
import type { TableMeta } from "../schema/table.ts";
import type { Row } from "../schema/value.ts";
import { planCascade } from "./cascade.ts";
import type { MutationStore, RowWrite } from "./mutation-store.ts";
import { checkUnique } from "./unique.ts";

export interface StatementScope {
  readonly schema: AnySchema;
  readonly store: MutationStore;
  readonly newId: () => string;
  /** Throws `auth/denied` when the row, before or after the change, may not be written. */
  readonly authorize?: (table: string, row: Row, action: "insert" | "update" | "delete") => void;
  /** May put other rows in the place of an update's results, for what others have changed meanwhile. Server only. */
  readonly resolve?: (meta: TableMeta, changes: readonly RowChange[]) => Promise<readonly RowChange[]>;
}

/** A row of an update, before and after. */
export interface RowChange {
  readonly before: Row;
  readonly after: Row;
}

/** Runs one statement, whole or not at all. */
export async function runStatement(scope: StatementScope, node: WriteNode): Promise<void> {
  const meta = must(scope.schema.tablesByName.get(node.table), "statement: the builder refuses unknown tables");
  if (scope.store.leavesOut?.(meta.name) === true) return;
  const writes = await planWrites(scope, meta, node);
  if (writes.length > 0) await scope.store.write(writes);
}

async function planWrites(scope: StatementScope, meta: TableMeta, node: WriteNode): Promise<readonly RowWrite[]> {
  if (node.type === "insert") return planInsert(scope, meta, node);
  return node.type === "update" ? planUpdate(scope, meta, node) : planDelete(scope, meta, node);
}

async function planInsert(scope: StatementScope, meta: TableMeta, node: InsertNode): Promise<RowWrite[]> {
  const { store, newId, authorize } = scope;
  const rows = node.rows.map((input) => completeInsert(meta, input, newId));
  if (rows.length === 0) return [];
  const taken = new Map((await store.getMany(meta.name, rows.map(idOf))).map((row) => [idOf(row), row]));
  const writes = new Map<string, RowWrite>();
  for (const row of rows) {
    const id = idOf(row);
    const before = taken.get(id) ?? null;
    const current = writes.get(id)?.after ?? before;
    if (current === null) {
      authorize?.(meta.name, row, "insert");
      writes.set(id, { table: meta.name, id, before: null, after: row });
    } else if (node.onConflict === null) {
      throw new PlasmaError("constraint/unique", { table: meta.name, columns: ["id"] });
    } else if (node.onConflict.do === "update") {
      const [change] = await updated(scope, meta, [changeOf(meta, current, node.onConflict.set)]);
      if (change !== undefined) writes.set(id, { table: meta.name, id, before, after: change.after });
    }
  }
  const result = [...writes.values()];
  await checkUnique(store, meta, result.map(afterOf));
  return result;
}

const changeOf = (meta: TableMeta, before: Row, set: UpdateNode["set"]): RowChange => ({
  before,
  after: mergeUpdate(meta, before, resolveIncrements(set, before)),
});

/** The changes that remain, authorized before and after. */
async function updated(
  { authorize, resolve }: StatementScope,
  meta: TableMeta,
  changes: readonly RowChange[],
): Promise<readonly RowChange[]> {
  const resolved = resolve === undefined ? changes : await resolve(meta, changes);
  for (const { before, after } of resolved) {
    authorize?.(meta.name, before, "update");
    authorize?.(meta.name, after, "update");
  }
  return resolved.filter(({ before, after }) => after !== before);
}

async function planUpdate(scope: StatementScope, meta: TableMeta, node: UpdateNode): Promise<RowWrite[]> {
  const rows = await matching(scope.store, meta, node.where);
  const changes = await updated(
    scope,
    meta,
    rows.map((before) => changeOf(meta, before, node.set)),
  );
  // What resolves a conflict may change any column.
  const mayResolve = scope.resolve !== undefined && meta.resolveConflict !== undefined;
  const isTouched = (column: string) => mayResolve || node.set[column] !== undefined;
  const touched = meta.unique.filter((columns) => columns.some(isTouched));
  await checkUnique(
    scope.store,
    { ...meta, unique: touched },
    changes.map(({ after }) => after),
  );
  return changes.map(({ before, after }) => ({ table: meta.name, id: idOf(before), before, after }));
}

async function planDelete(
  { schema, store, authorize }: StatementScope,
  meta: TableMeta,
  node: DeleteNode,
): Promise<RowWrite[]> {
  const rows = await matching(store, meta, node.where);
  for (const row of rows) authorize?.(meta.name, row, "delete");
  return planCascade(schema, store, meta.name, rows);
}

/** The rows that a condition names: looked up where it pins their ids, else selected. */
async function matching(store: MutationStore, meta: TableMeta, where: Expr | null): Promise<readonly Row[]> {
  const ids = where !== null && hasSubquery(where) ? null : pinnedIdsOf(where, meta.name);
  if (ids === null) return (await store.select(selectWhere(meta.name, where))) as readonly Row[];
  const rows = ids.length === 0 ? [] : await store.getMany(meta.name, ids);
  return rows.filter(compileFilter(where, meta.name));
}

const afterOf = ({ after }: RowWrite): Row => must(after, "statement: an insert or update leaves a row");

const idOf = (row: Row): string => row["id"] as string;
