// Owns: SimDatabase: the simulated server's database, SQLite in memory, which outlives the server's processes, and can be put back
// to what it was.

import { DatabaseSync } from "node:sqlite";
import * as limits from "../core/limits.ts";
import { fromNodeSqlite } from "../server/database/from-node-sqlite.ts";
import type { SqlExecutor } from "../server/database/sql-executor.ts";
import { quoteName } from "../server/sql/sql-text.ts";
import { simD1 } from "./sim-executor.ts";

export type SimEngine = "sqlite" | "d1";

export interface SimBackup {
  readonly objects: readonly { readonly type: string; readonly sql: string }[];
  readonly tables: readonly { readonly name: string; readonly rows: readonly Record<string, never>[] }[];
}

export class SimDatabase {
  readonly #engine: SimEngine;
  readonly #statementsMax: number;
  #db = new DatabaseSync(":memory:");

  /** `statementsMax` is what the engine "d1" allows a request: few cut pushes short. */
  constructor(engine: SimEngine, statementsMax: number = limits.sqlBatchStatementsMax) {
    this.#engine = engine;
    this.#statementsMax = statementsMax;
  }

  /** As one process opens it. */
  get executor(): SqlExecutor {
    const executor = fromNodeSqlite(this.#db);
    return this.#engine === "d1" ? simD1(executor, this.#statementsMax) : executor;
  }

  /** Whether a transaction is open: a backup would hold half of it. */
  get isInTransaction(): boolean {
    return this.#db.isTransaction;
  }

  /** All that is there, Plasma's own tables and the counters of their keys included. */
  backup(): SimBackup {
    const objects = this.#rows(
      "SELECT type, sql, name FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
    );
    const names = [
      ...objects.filter(({ type }) => type === "table").map(({ name }) => String(name)),
      "sqlite_sequence",
    ];
    const known = new Set(
      this.#rows("SELECT name FROM sqlite_master WHERE type = 'table'").map(({ name }) => String(name)),
    );
    return {
      objects: objects.map(({ type, sql }) => ({ type: String(type), sql: String(sql) })),
      tables: names
        .filter((name) => known.has(name))
        .map((name) => ({ name, rows: this.#rows(`SELECT * FROM ${quoteName(name)}`) as Record<string, never>[] })),
    };
  }

  /** Everything as it was then. The triggers come last, so that nothing is logged twice. */
  restore({ objects, tables }: SimBackup): void {
    const db = new DatabaseSync(":memory:");
    const create = (wanted: (type: string) => boolean) => {
      for (const { type, sql } of objects) if (wanted(type)) db.exec(sql);
    };
    create((type) => type === "table");
    for (const { name, rows } of tables) {
      if (name === "sqlite_sequence") db.exec("DELETE FROM sqlite_sequence");
      for (const row of rows) {
        const columns = Object.keys(row);
        const marks = columns.map(() => "?").join(", ");
        const list = columns.map(quoteName).join(", ");
        db.prepare(`INSERT INTO ${quoteName(name)} (${list}) VALUES (${marks})`).run(...Object.values(row));
      }
    }
    create((type) => type !== "table");
    this.#db = db;
  }

  close(): void {
    this.#db.close();
  }

  #rows(sql: string): Record<string, unknown>[] {
    const statement = this.#db.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all();
  }
}
