// Owns: LogChanges: the row changes of one page of the log by table, images parsed once, for the rules that ask.

import { must } from "../../core/lib/assert.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import { parseImage } from "../migration/log-image.ts";
import type { LogEntry } from "./log-reads.ts";

export class LogChanges {
  readonly schema: AnySchema;
  readonly #entriesByTable = new Map<string, LogEntry[]>();
  readonly #imagesByTable = new Map<string, readonly Row[]>();

  constructor(entries: readonly LogEntry[], schema: AnySchema) {
    this.schema = schema;
    for (const entry of entries) {
      const { op, table } = entry;
      // A table that the schema has dropped tells nobody anything.
      if (op === "ack" || table === null || !schema.tablesByName.has(table)) continue;
      const list = this.#entriesByTable.get(table);
      if (list === undefined) this.#entriesByTable.set(table, [entry]);
      else list.push(entry);
    }
  }

  get isEmpty(): boolean {
    return this.#entriesByTable.size === 0;
  }

  has(table: string): boolean {
    return this.#entriesByTable.has(table);
  }

  /** Ids of the table's rows that changed. */
  idsOf(table: string): readonly string[] {
    return [
      ...new Set((this.#entriesByTable.get(table) ?? []).flatMap(({ rowID }) => (rowID === null ? [] : [rowID]))),
    ];
  }

  /** Every image of the table's changed rows, before and after. */
  imagesOf(table: string): readonly Row[] {
    let images = this.#imagesByTable.get(table);
    if (images === undefined) {
      const meta = must(this.schema.tablesByName.get(table), "log changes: rules name tables of the schema");
      const texts = (this.#entriesByTable.get(table) ?? []).flatMap(({ before, value }) => [before, value]);
      images = texts.flatMap((text) => (text === null ? [] : [parseImage(meta, text)]));
      this.#imagesByTable.set(table, images);
    }
    return images;
  }
}
