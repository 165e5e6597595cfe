// Owns: SubqueryFilter, the conditions of a query that hold subqueries: `exists` and `inArray(…, select)`, wherever they stand
// in it. Each asks probes whether some row of a subquery is there for a tuple.
//
// In a commit, tuples that the joins changed are tested before and after. Others can only change where a row of a subquery
// did: such a row has the value that links it to tuples (`comments.issueId = issues.id`), and those alone are tested again.
//
// Invariants:
//   1. No state: a probe looks its rows up, in whatever state of the tables it is asked of.

import type { ColumnNode, Expr, Operand, SelectNode } from "../../core/query/ast.ts";
import { compileExpr, slotScope, type Slots, type Test } from "../../core/query/predicate.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import type { JoinChain } from "./join-chain.ts";
import { forExistence, type QueryPlan } from "./plan.ts";
import { createMembership, type Asked } from "./membership.ts";
import type { Batch, Context, EntryChange, Probe } from "./relation.ts";
import type { State } from "./source.ts";
import type { TupleChange } from "./tuple-changes.ts";

export interface SubqueryPush {
  readonly batch: Batch;
  /** Of the joins, by key. */
  readonly changes: ReadonlyMap<string, TupleChange>;
  readonly chain: JoinChain;
  readonly isInReach: (row: Row) => boolean;
  readonly keyOf: (tuple: Slots) => string;
}

export class SubqueryFilter {
  readonly #plan: QueryPlan;
  readonly #context: Context;
  readonly #probes: Probe[] = [];
  readonly #test: Test<Asked>;

  constructor(conjuncts: readonly Expr[], plan: QueryPlan, context: Context) {
    this.#plan = plan;
    this.#context = context;
    const slots = slotScope(plan.names);
    const positive = new Set(conjuncts.flatMap(positiveQueries));
    const add = (query: SelectNode, operand: Operand | null): Probe => {
      const probe = context.probe({ query, operand, around: plan });
      this.#probes.push(probe);
      return probe;
    };
    this.#test = compileExpr<Asked>(
      { type: "and", args: conjuncts },
      {
        read: (term) => {
          const read = slots.read(term);
          return ({ rows }) => read(rows);
        },
        exists: (query) => {
          const probe = add(forExistence(query), null);
          return ({ rows, state }) => probe.test(rows, state);
        },
        contains: (query, operand) =>
          createMembership(query, operand, {
            add,
            isPositive: positive.has(query),
            canBeNull: (select, column) => canBeNull(select, column, plan.schema),
          }),
      },
    );
  }

  passes(rows: Slots, state: State): boolean {
    return this.#test({ rows, state }) === true;
  }

  /** Whether a table of a subquery changed. */
  isTouchedBy(batch: Batch): boolean {
    return this.#probes.some((probe) => probe.affected(batch) !== null);
  }

  /** Changes of the tuples that pass. */
  *push({ batch, changes, chain, isInReach, keyOf }: SubqueryPush): Iterable<EntryChange<Slots>> {
    const before: State = (table) => batch.before(table);
    const { now } = this.#context;
    for (const change of changes.values()) {
      const was = change.before !== null && this.passes(change.before, before) ? change.before : null;
      const is = change.after !== null && this.passes(change.after, now) ? change.after : null;
      if (was !== is) yield { before: was, after: is };
    }
    const seen = new Set(changes.keys());
    for (const tuple of this.#affected(batch, chain, isInReach)) {
      const key = keyOf(tuple);
      if (seen.has(key)) continue;
      seen.add(key);
      const [was, is] = [this.passes(tuple, before), this.passes(tuple, now)];
      if (was !== is) yield { before: was ? tuple : null, after: is ? tuple : null };
    }
  }

  /** Tuples as they are now for which some subquery may say something else than before. */
  *#affected(batch: Batch, chain: JoinChain, isInReach: (row: Row) => boolean): Iterable<Slots> {
    const { now } = this.#context;
    for (const probe of this.#probes) {
      const affected = probe.affected(batch);
      if (affected === null) continue;
      const { column, values } = affected;
      const slot = column === null ? -1 : this.#plan.names.lastIndexOf(column.source) - this.#plan.outer.length;
      if (column === null || slot < 0) {
        yield* chain.tuplesWith(null, now, isInReach);
        return;
      }
      for (const value of values) yield* chain.tuplesWith({ slot, column: column.column, value }, now, isInReach);
    }
  }
}

/** Subqueries of `inArray` where unknown does what false does: not below a negation. */
function positiveQueries(expr: Expr): readonly SelectNode[] {
  if (expr.type === "and" || expr.type === "or") return expr.args.flatMap(positiveQueries);
  return expr.type === "inQuery" && !expr.negated ? [expr.query] : [];
}

/** Whether a column of the query's sources can be null: by its definition, or on the empty side of an outer join. */
function canBeNull({ from, joins }: SelectNode, { source, column }: ColumnNode, schema: AnySchema): boolean {
  const own = [from, ...joins.map((join) => join.source)].find(({ name }) => name === source);
  if (own === undefined || own.query !== undefined || joins.some(({ kind }) => kind !== "inner")) return true;
  return schema.tablesByName.get(own.table)?.columnsByName.get(column)?.def.notNull !== true;
}
