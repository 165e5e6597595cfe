// Owns: SubqueryProbe: whether a subquery has a row for a tuple of the query around it, and which tuples a commit may change that for.

import type { Operand, ResultRow } from "../../core/query/ast.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { Value } from "../../core/schema/value.ts";
import { isPlainRelation, planQuery, simplified, type QueryPlan } from "./plan.ts";
import { OPERAND, type Affected, type Batch, type Context, type Probe, type ProbeInput } from "./relation.ts";
import { freeColumns } from "./source-names.ts";
import type { State } from "./source.ts";
import { TupleRelation } from "./tuple-relation.ts";

const EVERY: Affected = { column: null, values: new Set() };

export class SubqueryProbe implements Probe {
  readonly #plan: QueryPlan;
  readonly #relation: TupleRelation;
  readonly #context: Context;
  readonly #operand: Operand | null;
  readonly #isPlain: boolean;
  readonly #isFree: boolean;

  constructor({ query, operand, around }: ProbeInput, context: Context) {
    const plain = simplified(query);
    this.#plan = planQuery(plain, around.schema, operand === null ? around.names : [...around.names, OPERAND]);
    this.#relation = new TupleRelation(this.#plan, context);
    this.#context = context;
    this.#operand = operand;
    this.#isPlain = isPlainRelation(plain);
    this.#isFree = freeColumns(plain).length === 0;
  }

  test(rows: Slots, state: State, value: Value = null): boolean {
    if (!this.#isPlain) return this.rows(rows, state).length > 0;
    const outer = this.#operand === null ? rows : [...rows, { value }];
    let isThere = false;
    this.#relation.pull({ outer, state }, null, () => {
      isThere = true;
      return false;
    });
    return isThere;
  }

  rows(rows: Slots, state: State): readonly ResultRow[] {
    return this.#context.run(this.#plan, { outer: rows, state });
  }

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
