// Owns: the databases of the server's benches: an executor for the handler, and the bare handle for the floor.

import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromNodeSqlite, type SqlExecutor, type SqlStatement } from "plasma-sync/server";
import { fromPostgres } from "plasma-sync/server/postgres";
import postgres from "postgres";
import { startPostgres } from "../../packages/plasma-sync/src/server/database/postgres-process.fixture.ts";
import { findPostgres } from "../../scripts/postgres.mjs";

export interface BenchDatabase {
  readonly executor: SqlExecutor;
  /** Runs one statement once for each list of values, in one transaction, with nothing of Plasma's in between. */
  insertBare(text: string, rows: readonly SqlStatement["params"][]): Promise<void>;
}

export interface Engine {
  readonly name: string;
  /** A fresh database. */
  open(): Promise<BenchDatabase>;
  close(): Promise<void>;
}

function sqliteEngine(name: string, path: () => string, pragmas: string, close: () => void): Engine {
  return {
    name,
    open: async () => {
      const db = new DatabaseSync(path());
      db.exec(pragmas);
      return {
        executor: fromNodeSqlite(db),
        insertBare: async (text, rows) => {
          const statement = db.prepare(text);
          db.exec("BEGIN IMMEDIATE");
          for (const row of rows) statement.run(...row);
          db.exec("COMMIT");
        },
      };
    },
    close: async () => close(),
  };
}

export const sqliteInMemory = (): Engine =>
  sqliteEngine(
    "node:sqlite in memory",
    () => ":memory:",
    "",
    () => undefined,
  );

export function sqliteOnDisk(): Engine {
  const folder = mkdtempSync(join(tmpdir(), "plasma-bench-"));
  let files = 0;
  const pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL";
  const path = () => join(folder, `${(files += 1)}.db`);
  return sqliteEngine("node:sqlite on disk (WAL)", path, pragmas, () => rmSync(folder, { recursive: true }));
}

/** Null where there is no Postgres. */
export async function postgresEngine(): Promise<Engine | null> {
  const bin = findPostgres();
  if (bin === undefined) return null;
  process.env["POSTGRES_BIN"] = bin;
  const server = await startPostgres();
  const connect = (database: string, max: number) =>
    postgres({ host: "127.0.0.1", port: server.port, user: "postgres", database, max, onnotice: () => undefined });
  const handles: postgres.Sql[] = [];
  return {
    name: "Postgres",
    open: async () => {
      const name = `bench_${handles.length}`;
      const admin = connect("postgres", 1);
      await admin.unsafe(`CREATE DATABASE ${name}`);
      await admin.end();
      const sql = connect(name, 4);
      handles.push(sql);
      return {
        executor: fromPostgres(sql),
        insertBare: async (text, rows) => {
          // All are sent before the first answer comes: the fastest that the package can.
          await sql.begin((tx) => rows.map((row) => tx.unsafe(text, row as never[], { prepare: true })));
        },
      };
    },
    close: async () => {
      await Promise.all(handles.map((sql) => sql.end()));
      await server.stop();
    },
  };
}
