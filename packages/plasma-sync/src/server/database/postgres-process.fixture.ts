// Owns: a real Postgres as a process, for tests and benches.
// Invariants:
//   1. Without Postgres it throws. `node scripts/setup.mjs --postgres` installs it.
//   2. The server ends with the process that started it, however that ends: its shell waits for the end of our pipe.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A uid that is not root's and has a name: Postgres refuses root. On Debian, Alpine and Fedora it is `nobody`. */
const UNPRIVILEGED = 65534;
const ATTEMPTS_MAX = 3; // Another process may take the free port before Postgres does.

/** No test asks for durability. The collation must not matter: queries name their own. */
const SETTINGS = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "max_connections=300",
  "unix_socket_directories=",
];

export interface PostgresServer {
  readonly port: number;
  stop(): Promise<void>;
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
