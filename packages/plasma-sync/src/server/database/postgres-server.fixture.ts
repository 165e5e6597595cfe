// Owns: a real Postgres for tests: a server of its own per test file, and an empty schema for each that asks.
// Invariant: without Postgres the tests fail; they are never skipped.

import postgres, { type Options, type Sql } from "postgres";
import { afterAll, beforeAll } from "vitest";
import { startPostgres, type PostgresServer } from "./postgres-process.fixture.ts";

const START_MS_MAX = 60_000; // Under a second on an idle machine.

export interface TestPostgres {
  /** A handle on an empty schema of its own; it is closed after the file's tests. */
  open(options?: Options<Record<string, never>>): Promise<Sql>;
  /** Another handle on the schema of `sql`. */
  again(sql: Sql, options?: Options<Record<string, never>>): Sql;
}

/** Seconds after which an unused connection is closed: a file opens more handles than the server takes connections. */
const IDLE_SECONDS = 10;

/** Call at the top of a test file: the server starts before its first test and stops after its last. */
export function usePostgres(): TestPostgres {
  let server: PostgresServer | undefined;
  let admin: Sql | undefined;
  let schemas = 0;
  const handles = new Map<Sql, string>();
  const connect = (schema: string, options: Options<Record<string, never>> = {}): Sql => {
    const port = server?.port as number;
    const connection = { search_path: schema };
    const where = { host: "127.0.0.1", port, user: "postgres", database: "postgres", connection };
    const sql = postgres({ max: 4, idle_timeout: IDLE_SECONDS, ...options, ...where });
    handles.set(sql, schema);
    return sql;
  };
  beforeAll(async () => {
    server = await startPostgres();
    admin = connect("public", { max: 1 });
  }, START_MS_MAX);
  afterAll(async () => {
    await Promise.all([...handles.keys()].map((sql) => sql.end({ timeout: 0 })));
    await server?.stop();
  }, START_MS_MAX);
  return {
    open: async (options) => {
      // A schema is made a hundred times faster than a database, and Plasma sees nothing beside it.
      const schema = `test_${(schemas += 1)}`;
      await (admin as Sql).unsafe(`CREATE SCHEMA ${schema}`);
      return connect(schema, options);
    },
    again: (sql, options) => connect(handles.get(sql) ?? "public", options),
  };
}
