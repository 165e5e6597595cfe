// Owns: Probe: whether a subquery has a row for a tuple of the query around it, and which tuples a commit may change that for.

import type { ColumnNode, Operand, ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { Value } from "../../core/schema/value.ts";
import { isPlainRelation, planQuery, simplified, type QueryPlan } from "./plan.ts";
import type { Batch, Context } from "./relation.ts";
import { freeColumns } from "./source-names.ts";
import type { State } from "./source.ts";
import { TupleRelation } from "./tuple-relation.ts";

/** The source under which a subquery sees the operand of `inArray`: no table has this name. */
const OPERAND = "\0";

/** The operand as a column of the query around. */
export const operandColumn = ({ kind }: ColumnNode): ColumnNode => ({
  type: "column",
  source: OPERAND,
  column: "value",
  kind,
});

/** Tuples that have one of `values` in `column`; all where it is null. */
export interface Affected {
  readonly column: ColumnNode | null;
  readonly values: ReadonlySet<Value>;
}

const EVERY: Affected = { column: null, values: new Set() };

export interface ProbeInput {
  readonly query: SelectNode;
  /** What the subquery sees as `operandColumn`, or null. */
  readonly operand: Operand | null;
  /** The plan of the query around. */
  readonly around: QueryPlan;
  readonly context: Context;
}

export class Probe {
  readonly #plan: QueryPlan;
  readonly #relation: TupleRelation;
  readonly #context: Context;
  readonly #operand: Operand | null;
  readonly #isPlain: boolean;
  readonly #isFree: boolean;

  constructor({ query, operand, around, context }: ProbeInput) {
    const plain = simplified(query);
    this.#plan = planQuery(plain, around.schema, operand === null ? around.names : [...around.names, OPERAND]);
    this.#relation = new TupleRelation(this.#plan, context);
    this.#context = context;
    this.#operand = operand;
    this.#isPlain = isPlainRelation(plain);
    this.#isFree = freeColumns(plain).length === 0;
  }

  /** Whether there is a row for a tuple; `value` is that of the operand. */
  test(rows: Slots, state: State, value: Value = null): boolean {
    if (!this.#isPlain) return this.rows(rows, state).length > 0;
    const outer = this.#operand === null ? rows : [...rows, { value }];
    for (const _ of this.#relation.pull({ outer, state }, null)) return true;
    return false;
  }

  /** The whole result for a tuple. */
  rows(rows: Slots, state: State): readonly ResultRow[] {
    return this.#context.run(this.#plan, { outer: rows, state });
  }

  isTouchedBy(batch: Batch): boolean {
    return this.affected(batch) !== null;
  }

  /** The tuples for which a commit may have changed the answer; null when for none. */
  affected(batch: Batch): Affected | null {
    if (this.#relation.isUnclear(batch)) return EVERY;
    const { link } = this.#plan;
    const values = new Set<Value>();
    let isTouched = false;
    for (const { before, after } of this.#relation.push(batch, null)) {
      isTouched = true;
      if (link === null) break;
      if (before !== null) values.add(this.#relation.linkValue(before));
      if (after !== null) values.add(this.#relation.linkValue(after));
    }
    if (!isTouched) return null;
    if (link !== null) {
      const column = link.outer.source === OPERAND ? this.#operand : link.outer;
      return column?.type === "column" ? { column, values } : EVERY;
    }
    if (!this.#isFree || !this.#isPlain) return EVERY;
    const outer = this.#plan.outer.map(() => null);
    const [was, is] = [this.test(outer, (table) => batch.before(table)), this.test(outer, this.#context.now)];
    return was === is ? null : EVERY;
  }
}
