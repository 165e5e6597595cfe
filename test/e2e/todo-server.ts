// Owns: the todo app's dev server (page, Worker and local D1 on one port) as a process that a test may kill and restart.
// Invariants:
//   1. Each server has a database of its own, in a new folder, which outlives `kill` and `restart` and goes with `close`.
//   2. No process outlives the test: the server is a process group, and the group ends when the test's process does.
// The app's Vite config keeps the state of D1 under PLASMA_STATE_DIR when that is set.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const START_MS_MAX = 120_000; // A cold Vite cache on two busy cores.
const OUTPUT_CHARS_MAX = 20_000;
/** Between pulls of a page: most of what these tests wait for is the other person's next pull. */
const POLL_MS = "300";

export interface TodoServer {
  /** `http://127.0.0.1:PORT/`, the same after a restart. */
  readonly url: string;
  /** Where the database is, for looking at what has arrived. */
  readonly stateDir: string;
  /** The end of what the server printed. */
  output(): string;
  /** Ends the server at once, as a crash would (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same port and database; resolves when it answers. */
  restart(): Promise<void>;
  /** Ends the server and removes its database. */
  close(): Promise<void>;
}

/** Starts the todo app and waits until it answers. Throws with the server's output when it does not. */
export async function startTodoServer(env: Readonly<Record<string, string>> = {}): Promise<TodoServer> {
  const port = await freePort();
  const stateDir = mkdtempSync(join(tmpdir(), "plasma-todo-"));
  const url = `http://127.0.0.1:${port}/`;
  let output = "";
  let child: ChildProcess | undefined;

  const end = () => endGroup(child);

  async function start(): Promise<void> {
    child = spawnVite(port, { VITE_POLL_MS: POLL_MS, ...env, PLASMA_STATE_DIR: stateDir });
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX));
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    const started = child;
    await untilAnswers(url, () => started.exitCode !== null || started.signalCode !== null).catch((cause: unknown) => {
      end();
      throw new Error(`The todo app did not start on ${url}:\n${output}`, { cause });
    });
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    end();
    await closed;
  }

  async function close(): Promise<void> {
    await kill();
    rmSync(stateDir, { recursive: true, force: true });
  }

  await start();
  return { url, stateDir, output: () => output, kill, restart: start, close };
}

function spawnVite(port: number, env: Readonly<Record<string, string>>): ChildProcess {
  const vite = fileURLToPath(new URL("../../node_modules/vite/bin/vite.js", import.meta.url));
  const endWithParent = new URL("./end-with-parent.mjs", import.meta.url).href;
  const args = ["--import", endWithParent, vite, "--host", "127.0.0.1", "--port", String(port), "--strictPort"];
  return spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL("../../examples/todo", import.meta.url)),
    env: { ...process.env, ...env, NODE_ENV: "development" },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
}

function endGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, "SIGKILL");
}

async function untilAnswers(url: string, hasEnded: () => boolean): Promise<void> {
  const giveUpAtMs = Date.now() + START_MS_MAX;
  for (;;) {
    const isUp = await fetch(url, { headers: { accept: "text/html" } }).then(
      (response) => response.ok,
      () => false, // Nobody listens yet.
    );
    if (isUp) return;
    if (hasEnded()) throw new Error("the process ended");
    if (Date.now() > giveUpAtMs) throw new Error(`no answer within ${START_MS_MAX / 1000} s`);
    await delay(200);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
