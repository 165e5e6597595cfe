// Owns: the words of a fold that its parts share.

import type { Row } from "../../core/schema/value.ts";
import type { ReplicaMeta, RowsMeta } from "./layout.ts";
import type { ItemChange } from "./merge-items.ts";

/** One writing transaction on meta and `stores`: `body` gets what meta says and gives what it shall say of rows. */
export type RunFoldStep = (
  stores: readonly string[],
  body: (tx: IDBTransaction, meta: ReplicaMeta) => Promise<RowsMeta> | RowsMeta,
) => Promise<void>;

/** As `RunFoldStep`, for the steps behind the first: refuses when another fold has begun. */
export type FoldStep = (
  stores: readonly string[],
  body: (tx: IDBTransaction, rows: RowsMeta) => Promise<RowsMeta> | RowsMeta,
) => Promise<void>;

/** A row's new value as a commit made it. */
export type RowChange = ItemChange<Row, string>;
