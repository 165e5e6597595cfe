// Owns: columns as AST nodes, and `colRef`, which names a column of a subquery before the query knows its kind.

import { PlasmaError } from "../error.ts";
import { Column, type AnyColumn } from "../schema/column.ts";
import type { ColumnKind } from "../schema/value.ts";
import type { ColumnNode, Operand } from "./ast.ts";

/** The kind of a `colRef` until the query that has the subquery is finished: no finished AST holds it. */
const UNRESOLVED = "unresolved" as ColumnKind;

export const isUnresolved = ({ kind }: Operand): boolean => kind === UNRESOLVED;

/**
 * A column of a subquery's result: `alias` is the name given to `fromSubquery`, `column` a key of its projection.
 *
 * @example
 * const perOwner = select({ ownerId: todos.ownerId, n: count() }).from(todos).groupBy(todos.ownerId);
 * db.select().fromSubquery(perOwner, "totals").where(gt(colRef("totals", "n"), 5));
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a name alone says nothing of the type: the app may
export const colRef = <D = any>(alias: string, column: string): Column<D, boolean, boolean, string> =>
  new Column({
    kind: UNRESOLVED,
    table: alias,
    name: column,
    notNull: false,
    unique: false,
    encrypted: false,
    default: undefined,
    values: undefined,
    ref: undefined,
    file: undefined,
  });

/** The AST node of a bound column. `where` names the place, for the error. */
export function columnNode(column: AnyColumn, where: string): ColumnNode {
  const def = (column as AnyColumn | undefined)?.def;
  if (def === undefined || def.table === "") throw new PlasmaError("schema/unbound-column", { where });
  return { type: "column", source: def.table, column: def.name, kind: def.kind };
}
