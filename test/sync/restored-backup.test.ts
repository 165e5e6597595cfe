// A database that is put back to an older state under its clients: they come back to what it holds, nothing that they still
// hold is lost, and nothing happens twice.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createPlasmaClient } from "plasma-sync/client";
import {
  createServerDb,
  createSyncHandler,
  fromNodeSqlite,
  type SqlExecutor,
  type SyncHandler,
} from "plasma-sync/server";
import { fromPostgres } from "plasma-sync/server/postgres";
import type { Sql } from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { usePostgres } from "../../packages/plasma-sync/src/server/database/postgres-server.fixture.ts";
import { bodies, eventually, mutators, notes, schema, type Client } from "./world.fixture.ts";

/** A database that can be backed up once, and put back to that. */
interface Database {
  executor(): SqlExecutor;
  backUp(): Promise<void>;
  restore(): Promise<void>;
  close(): void;
}

function sqliteFile(): Database {
  const folder = mkdtempSync(join(tmpdir(), "plasma-backup-"));
  const [file, backup] = [join(folder, "app.db"), join(folder, "backup.db")];
  let db = new DatabaseSync(file);
  return {
    executor: () => fromNodeSqlite(db),
    backUp: async () => db.exec(`VACUUM INTO '${backup}'`),
    restore: async () => {
      db.close();
      copyFileSync(backup, file);
      db = new DatabaseSync(file);
    },
    close: () => {
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** As a dump by SQL puts it back: rows without triggers, and sequences where they were. */
function postgresDump(sql: Sql): Database {
  const tables = ["notes", "_plasma_changes", "_plasma_client_mutations", "_plasma_schema"];
  const sequence = `pg_get_serial_sequence('_plasma_changes', 'row_version')`;
  const run = (statements: readonly string[]) =>
    sql.begin(async (tx) => {
      for (const text of statements) await tx.unsafe(text);
    });
  return {
    executor: () => fromPostgres(sql),
    backUp: async () => {
      await run(tables.map((name) => `CREATE TABLE saved_${name} AS SELECT * FROM ${name}`));
    },
    restore: async () => {
      const rows = tables.flatMap((name) => [
        `DELETE FROM ${name}`,
        `INSERT INTO ${name} OVERRIDING SYSTEM VALUE SELECT * FROM saved_${name}`,
      ]);
      const reset = `SELECT setval(${sequence}, (SELECT max(row_version) FROM _plasma_changes))`;
      await run(["SET LOCAL session_replication_role = replica", ...rows, reset]);
    },
    close: () => undefined,
  };
}

const postgres = usePostgres();

describe.each<[string, () => Promise<Database>]>([
  ["a SQLite file copied back", async () => sqliteFile()],
  ["a dump of Postgres put back", async () => postgresDump(await postgres.open())],
])("%s", (_, open) => {
  let database: Database;
  let handle: SyncHandler;
  let processed: unknown[];
  let isReachable: (request: Request) => boolean;
  let clients: Client[];

  beforeEach(async () => {
    database = await open();
    [processed, clients, isReachable] = [[], [], () => true];
    startServer();
  });
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    database.close();
  });

  /** A new process, as it is after a restore. */
  const startServer = () => {
    handle = createSyncHandler<{ readonly userId: string }>({
      schema,
      mutators,
      executor: database.executor(),
      schemaVersion: "1",
      auth: (request) => {
        const userId = String(request.headers.get("x-user"));
        return { ok: true, clientGroupID: userId, ctx: { userId } };
      },
      onMutation: ({ args, status }) => void processed.push([(args as { readonly body?: string }).body, status]),
    });
  };
  const restore = async () => {
    const before = isReachable;
    isReachable = () => false;
    await database.restore();
    startServer();
    isReachable = before;
  };
  const clientOf = (userId: string): Client => {
    const client = createPlasmaClient({
      schema,
      mutators,
      dbName: `backup-${clients.length}`,
      endpoint: "http://plasma.test/sync",
      schemaVersion: "1",
      clientGroupID: userId,
      getContext: () => ({ userId }),
      storage: "memory",
      pollIntervalMs: 20,
      retry: { maxAttempts: 3, initialDelayMs: 5, maxDelayMs: 20 },
      authHeaders: () => ({ "x-user": userId }),
      fetcher: async (request) => {
        if (!isReachable(request)) throw new TypeError("Failed to fetch");
        return handle(request);
      },
    });
    clients.push(client);
    return client;
  };
  const stored = async () =>
    (await createServerDb({ schema, executor: database.executor() }).select().from(notes))
      .map(({ body }) => body)
      .sort();
  const shown = async (client: Client) => (await bodies(client)).sort();
  const settled = async (client: Client, expected: readonly string[]) => {
    await eventually(async () => {
      expect(await client.pending()).toEqual([]);
      expect(await shown(client)).toEqual(expected);
    });
    expect(await stored()).toEqual(expected);
  };

  test("clients ahead of it come back to what it holds, and go on", async () => {
    const [ada, grace] = [clientOf("ada"), clientOf("grace")];
    await ada.mutate.add({ body: "kept", shared: true }).server;
    await settled(ada, ["kept"]);
    await database.backUp();
    await ada.mutate.add({ body: "lost", shared: true }).server;
    await settled(ada, ["kept", "lost"]);
    await settled(grace, ["kept", "lost"]);
    await restore();
    await settled(ada, ["kept"]);
    await settled(grace, ["kept"]);
    // Ada's next id does not follow what the server knows, and nobody has the one between: she goes on under another name.
    await ada.mutate.add({ body: "after", shared: true }).server;
    await settled(ada, ["after", "kept"]);
    await settled(grace, ["after", "kept"]);
    expect(processed).toEqual([
      ["kept", "applied"],
      ["lost", "applied"],
      ["after", "applied"],
    ]);
  });

  test("what was applied and lost, but is still in an outbox, is applied again, once", async () => {
    const ada = clientOf("ada");
    await ada.mutate.add({ body: "kept" }).server;
    await settled(ada, ["kept"]);
    await database.backUp();
    isReachable = (request) => request.method === "POST"; // Pushes are answered, pulls are not: nothing is confirmed.
    await ada.mutate.add({ body: "held" }).server;
    expect(await stored()).toEqual(["held", "kept"]);
    await restore();
    expect(await stored()).toEqual(["kept"]);
    isReachable = () => true;
    await settled(ada, ["held", "kept"]);
    await ada.mutate.add({ body: "after" }).server;
    await settled(ada, ["after", "held", "kept"]);
  });

  test("an outbox that was filled offline, behind mutations that are lost, is applied whole and in order", async () => {
    const ada = clientOf("ada");
    await ada.mutate.add({ body: "kept" }).server;
    await database.backUp();
    await ada.mutate.add({ body: "lost" }).server;
    await settled(ada, ["kept", "lost"]);
    isReachable = () => false;
    await ada.mutate.add({ body: "one" });
    await ada.mutate.add({ body: "two" });
    await restore();
    isReachable = () => true;
    await settled(ada, ["kept", "one", "two"]);
    expect(processed.slice(2)).toEqual([
      ["one", "applied"],
      ["two", "applied"],
    ]);
  });

  test("a first sync that a restore overtakes ends with what it holds", async () => {
    const ada = clientOf("ada");
    await ada.mutate.add({ body: "kept", shared: true }).server;
    await database.backUp();
    await ada.mutate.add({ body: "lost", shared: true }).server;
    let pulls = 0;
    isReachable = (request) => request.method === "POST" || (pulls += 1) !== 2;
    const grace = clientOf("grace");
    await eventually(() => expect(pulls).toBeGreaterThan(1));
    await restore();
    await settled(grace, ["kept"]);
  });
});
