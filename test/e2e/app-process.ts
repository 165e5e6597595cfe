// Owns: an example's dev server as a process that a test may kill and restart, on one port.
// Invariants:
//   1. Each has a data folder of its own, new at the start, which outlives `kill` and `restart` and goes with `close`.
//   2. No process outlives the test: the server is a process group, and the group ends when the test's process does.
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

export interface AppProcess {
  /** `http://127.0.0.1:PORT/`, the same after a restart. */
  readonly url: string;
  /** The example's data, for looking at what has arrived. */
  readonly folder: string;
  /** The end of what it printed. */
  output(): string;
  /** Ends it at once, as a crash would (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder, with these arguments after its own; resolves when it answers. */
  restart(args?: readonly string[]): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

export interface AppCommand {
  /** The example: "todo". */
  readonly example: string;
  /** The program that Node runs there, with its arguments. */
  readonly program: (port: number) => readonly string[];
  readonly env: (folder: string) => Readonly<Record<string, string>>;
}

/** Starts it and waits until it answers. Throws with its output when it does not. */
export async function startApp(command: AppCommand): Promise<AppProcess> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), `plasma-${command.example}-`));
  const url = `http://127.0.0.1:${port}/`;
  let output = "";
  let child: ChildProcess | undefined;

  const end = () => endGroup(child);

  async function start(args: readonly string[] = []): Promise<void> {
    child = spawnNode(command.example, [...command.program(port), ...args], command.env(folder));
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX));
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    const started = child;
    await untilAnswers(url, () => started.exitCode !== null || started.signalCode !== null).catch((cause: unknown) => {
      end();
      throw new Error(`${command.example} did not start on ${url}:\n${output}`, { cause });
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
    rmSync(folder, { recursive: true, force: true });
  }

  await start();
  return { url, folder, output: () => output, kill, restart: start, close };
}

function spawnNode(example: string, program: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const endWithParent = new URL("./end-with-parent.mjs", import.meta.url).href;
  return spawn(process.execPath, ["--import", endWithParent, ...program], {
    cwd: fileURLToPath(new URL(`../../examples/${example}`, import.meta.url)),
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
