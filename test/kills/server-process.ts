// Owns: the server of the kill tests as seen from the test: its process, and what its database holds.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { must } from "../../packages/plasma-sync/src/core/lib/assert.ts";

export interface ServerProcess {
  readonly url: string;
  /** Runs one select. */
  read<T>(text: string): T[];
  close(): Promise<void>;
}

/** `stockRows`: how many rows it has before the first page opens. */
export async function startServer(stockRows: number): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "plasma-kills-server-"));
  const endWithParent = new URL("../e2e/end-with-parent.mjs", import.meta.url).href;
  const program = `${import.meta.dirname}/kill-server.ts`;
  const child = spawn(process.execPath, ["--import", endWithParent, program, folder, String(stockRows)], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const ended = once(child, "exit");
  const port = await Promise.race([
    portOf(child.stdout),
    ended.then(() => Promise.reject(new Error("the server of the kill tests ended before it listened"))),
  ]);
  const database = new DatabaseSync(join(folder, "data.sqlite"), { readOnly: true });
  return {
    url: `http://127.0.0.1:${port}`,
    read: <T>(text: string) => database.prepare(text).all() as T[],
    close: async () => {
      database.close();
      if (child.exitCode === null) process.kill(-must(child.pid, "a process that runs has an id"), "SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function portOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const port = /^listening (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error("the server of the kill tests never listened");
}
