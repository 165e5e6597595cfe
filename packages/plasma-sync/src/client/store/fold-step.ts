// Owns: the words of a fold that its parts share.

import type { Row } from "../../core/schema/value.ts";
import type { ReplicaMeta, RowsMeta } from "./layout.ts";
import type { ItemChange } from "./merge-items.ts";

/** What meta shall say of rows after a step, and what the step came to. */
export type StepResult<T> = readonly [RowsMeta, T];

/** One writing transaction on meta and `stores`. The body may run twice. */
export type RunFoldStep = <T>(
  stores: readonly string[],
  body: (tx: IDBTransaction, meta: ReplicaMeta) => Promise<StepResult<T>>,
) => Promise<T>;

/** As `RunFoldStep`, for the steps behind the first: refuses when another fold has begun. */
export type FoldStep = <T>(
  stores: readonly string[],
  body: (tx: IDBTransaction, rows: RowsMeta) => Promise<StepResult<T>>,
) => Promise<T>;

/** A row's new value as a commit made it. */
export type RowChange = ItemChange<Row, string>;
