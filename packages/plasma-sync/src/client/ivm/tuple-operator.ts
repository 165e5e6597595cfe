// Owns: TupleOperator, for selects with joins or a projection: entries are tuples of rows with the result shaped of them.
//
// A change of slot s meets the slots before s as they are now and those after s as they were, so that every change of a
// tuple is counted once, however many of its rows a commit changed:
//
//   changes = Σ over s of  now(0 … s-1) ⋈ changes(s) ⋈ before(s+1 … n)
//
// Invariants:
//   1. No state but the shaped results: matches are looked up in the sources, both ways.
//   2. A left join's empty tuple goes when the first match comes and returns when the last one goes.

import type { ResultRow } from "../../core/query/ast.ts";
import { must } from "../../core/lib/assert.ts";
import { sameValue } from "../../core/lib/deep-equal.ts";
import { compareTuples, shapeResult, sourcesOf } from "../../core/query/evaluate.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { JoinChain } from "./join-chain.ts";
import type { Batch, EntryChange, Operator } from "./operator.ts";
import type { QueryPlan } from "./plan.ts";
import { createRowOrder } from "./row-order.ts";
import { rowsOf } from "./row-operator.ts";
import type { RowReader } from "./source.ts";

export interface TupleEntry {
  readonly key: string;
  readonly rows: Slots;
  result: ResultRow | null;
}
