// Owns: planCascade: which rows a delete takes along, empties or is refused for, by the `onDelete` of the refs.
// Invariants:
//   1. Each row is visited once, so cycles and self references end; depth is unbounded.
//   2. One look-up per ref and level, whatever the number of rows.

import { PlasmaError } from "../error.ts";
import type { Expr } from "../query/ast.ts";
import { selectWhere } from "../query/select-where.ts";
import type { AnySchema, Reference } from "../schema/schema.ts";
import type { Row } from "../schema/value.ts";
import type { MutationStore, RowWrite } from "./mutation-store.ts";

interface Plan {
  readonly deleted: Map<string, RowWrite>;
  /** Rows that lose a reference, unless they are deleted too. */
  readonly emptied: Map<string, RowWrite>;
  /** Rows that forbid the delete, unless they are deleted too. */
  readonly restricting: { readonly key: string; readonly reference: Reference }[];
}

/** Plans the delete of `rows` of `table`: children first, the named rows last. Throws `constraint/restrict`. */
export async function planCascade(
  schema: AnySchema,
  store: MutationStore,
  table: string,
  rows: readonly Row[],
): Promise<RowWrite[]> {
  const plan: Plan = { deleted: new Map(), emptied: new Map(), restricting: [] };
  let level: Level = new Map();
  noteDeleted(plan, level, table, rows);
  while (level.size > 0) {
    const next: Level = new Map();
    for (const [parent, ids] of level) {
      for (const reference of schema.referencesByParent.get(parent) ?? []) {
        if (reference.onDelete === "noAction") continue;
        const children = (await store.select(selectWhere(reference.child, refersTo(reference, ids)))) as readonly Row[];
        noteChildren(plan, next, reference, children);
      }
    }
    level = next;
  }
  refuseRestricted(plan);
  const emptied = [...plan.emptied].filter(([key]) => !plan.deleted.has(key)).map(([, write]) => write);
  return [...emptied, ...[...plan.deleted.values()].toReversed()];
}

/** Ids of newly deleted rows by table: their children come next. */
type Level = Map<string, string[]>;

/** Notes what a ref asks for the children that it found. */
function noteChildren(plan: Plan, next: Level, reference: Reference, children: readonly Row[]): void {
  const { child, column, onDelete } = reference;
  if (onDelete === "cascade") return noteDeleted(plan, next, child, children);
  for (const row of children) {
    const key = keyOf(child, row);
    if (onDelete === "restrict") {
      plan.restricting.push({ key, reference });
      continue;
    }
    const after = { ...(plan.emptied.get(key)?.after ?? row), [column]: null };
    plan.emptied.set(key, { table: child, id: idOf(row), before: row, after });
  }
}

function noteDeleted(plan: Plan, level: Level, table: string, rows: readonly Row[]): void {
  for (const row of rows) {
    const key = keyOf(table, row);
    if (plan.deleted.has(key)) continue;
    const id = idOf(row);
    plan.deleted.set(key, { table, id, before: row, after: null });
    const ids = level.get(table);
    if (ids === undefined) level.set(table, [id]);
    else ids.push(id);
  }
}

function refuseRestricted({ restricting, deleted }: Plan): void {
  const blocking = restricting.find(({ key }) => !deleted.has(key));
  if (blocking === undefined) return;
  const { child, column, parent } = blocking.reference;
  throw new PlasmaError("constraint/restrict", { table: parent, child, column });
}

const refersTo = ({ child, column }: Reference, ids: readonly string[]): Expr => ({
  type: "in",
  operand: { type: "column", source: child, column, kind: "ref" },
  values: ids.map((value) => ({ type: "value", value, kind: "ref" })),
  negated: false,
});

const idOf = (row: Row): string => row["id"] as string;
const keyOf = (table: string, row: Row): string => `${table}:${idOf(row)}`;
