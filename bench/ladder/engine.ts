// Owns: the interface that the harness measures, one adapter per engine.

import type { AnyRow, Dataset, TableName } from "./dataset.ts";
import type { ViewName } from "./views.ts";

export interface Engine {
  readonly name: string;
  readonly version: string;
  /** Why the engine cannot show the view; null when it can. */
  lacks(view: ViewName): string | null;
  /** A new instance that holds the rows. Not timed. */
  start(data: Dataset): LoadedEngine | Promise<LoadedEngine>;
}

export interface LoadedEngine {
  /** Timed until it returns: by then the view's listener has the rows. */
  open(view: ViewName): OpenView | Promise<OpenView>;
  /** Timed until they return: by then the listener has the rows as they are now. */
  add(table: TableName, row: AnyRow): void;
  remove(table: TableName, row: AnyRow): void;
  close(): void | Promise<void>;
}

export interface OpenView {
  /** What the listener was given last, in the shape of `answerOf`. Not timed. */
  rows(): readonly object[];
  close(): void | Promise<void>;
}
