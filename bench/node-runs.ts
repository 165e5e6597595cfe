// Owns: running a workload that needs no browser: a Node process of its own, which prints its progress and writes its lines.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Line } from "./summary.ts";
import type { NodeWorkload } from "./workloads.ts";

/** Runs the workload's script; throws when it failed, as it does when answers differ. */
export async function runInNode({ id, script }: NodeWorkload): Promise<Line[]> {
  const folder = mkdtempSync(join(tmpdir(), "plasma-bench-"));
  const file = join(folder, "lines.json");
  try {
    const child = spawn(process.execPath, ["--expose-gc", join(import.meta.dirname, script), `--json=${file}`], {
      stdio: "inherit",
      env: { ...process.env, NODE_ENV: "production" },
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    if (code !== 0) throw new Error(`${id} failed with exit code ${String(code)}`);
    return JSON.parse(readFileSync(file, "utf8")) as Line[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
