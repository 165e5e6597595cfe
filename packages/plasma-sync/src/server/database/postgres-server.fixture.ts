// Owns: a real Postgres for tests: a server of its own per test file, and an empty schema for each that asks.
// Invariants:
//   1. Without Postgres the tests fail; they are never skipped. `node scripts/setup.mjs --postgres` installs it.
//   2. The server ends with the process that started it, however that ends: its shell waits for the end of our pipe.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Options, type Sql } from "postgres";
import { afterAll, beforeAll } from "vitest";

/** A uid that is not root's and has a name: Postgres refuses root. On Debian, Alpine and Fedora it is `nobody`. */
const UNPRIVILEGED = 65534;
const ATTEMPTS_MAX = 3; // Another process may take the free port before Postgres does.
const START_MS_MAX = 60_000; // Under a second on an idle machine.

/** No test asks for durability. The collation must not matter: queries name their own. */
const SETTINGS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "unix_socket_directories="];

export interface PostgresServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface TestPostgres {
  /** A handle on an empty schema of its own; it is closed after the file's tests. */
  open(options?: Options<Record<string, never>>): Promise<Sql>;
  /** Another handle on the schema of `sql`. */
  again(sql: Sql, options?: Options<Record<string, never>>): Sql;
}

/** Seconds after which an unused connection is closed: a file opens more handles than the server takes connections. */
const IDLE_SECONDS = 2;

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

/** Starts a server on a free port of the loopback interface, with trust for user `postgres`. About 0.7 s. */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = process.env["POSTGRES_BIN"]; // vitest.config.ts looks for it.
  if (bin === undefined)
    throw new Error("There is no Postgres: run `node scripts/setup.mjs --postgres`, or set POSTGRES_BIN.");
  let output = "";
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = await freePort();
    const child = spawnServer(bin, port);
    const stop = async () => {
      child.stdin?.end();
      if (child.exitCode === null && child.pid !== undefined) await once(child, "exit");
    };
    output = await untilReady(child);
    if (output === "") return { port, stop };
    await stop();
  }
  throw new Error(`Postgres does not start:\n${output}`);
}

/** Makes a cluster, runs a server on it until the end of our pipe, stops that at once (SIGQUIT), and cleans up. */
const SCRIPT = `
exec 3<&0
bin=$1; folder=$2; shift 2
if "$bin/initdb" -D "$folder/data" -U postgres -A trust --no-sync -E UTF8 --locale=C >/dev/null </dev/null; then
  "$bin/postgres" -D "$folder/data" "$@" </dev/null & server=$!
  cat <&3 >/dev/null
  kill -QUIT $server; wait $server
fi
cd /; rm -rf "$folder"`;

function spawnServer(bin: string, port: number): ChildProcess {
  const folder = mkdtempSync(join(tmpdir(), "plasma-postgres-"));
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
  if (isRoot) chownSync(folder, UNPRIVILEGED, UNPRIVILEGED);
  const settings = ["-h", "127.0.0.1", "-p", String(port), ...SETTINGS.flatMap((setting) => ["-c", setting])];
  const args = ["-c", SCRIPT, "sh", bin, folder, ...settings];
  return spawn("sh", args, { ...user, cwd: folder, stdio: ["pipe", "ignore", "pipe"] });
}

/** Resolves to "" when the server takes connections, else to what it said. */
function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let output = "";
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.includes("ready to accept connections")) {
        output = "";
        resolve("");
      } else if (output.includes("FATAL:")) resolve(output);
    });
    child.once("error", (error) => resolve(error.message));
    child.once("exit", () => resolve(output || "it ended without a word"));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
