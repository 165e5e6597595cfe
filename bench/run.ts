// Owns: `npm run bench`: runs the workloads, prints what they measured and notes it in results.json.
//   npm run bench                               everything
//   npm run bench -- client                     what runs beside Replicache
//   npm run bench -- rebase ivm-ladder          these workloads only
//   npm run bench -- startup --only="by index"  these variants only, not noted
//   npm run bench -- startup --profile=FOLDER   CPU profiles of Plasma's pages, not noted

import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { runInNode } from "./node-runs.ts";
import { PageRuns } from "./page-runs.ts";
import { printGoals, printLines } from "./print-lines.ts";
import type { Line } from "./summary.ts";
import { groups, workloads, type Workload } from "./workloads.ts";

const RESULTS = `${import.meta.dirname}/results.json`;

interface Result {
  readonly date: string;
  readonly machine: { readonly [what: string]: string | number };
  readonly versions: { readonly [peer: string]: string };
  readonly lines: readonly Line[];
}

const { values: flags, positionals } = parseArgs({
  options: { profile: { type: "string" }, only: { type: "string" } },
  allowPositionals: true,
});
const isNoted = flags.profile === undefined && flags.only === undefined;
const asked = positionals.flatMap((name) => groups[name]?.map(({ id }) => id) ?? [name]);
const unknown = asked.filter((id) => !workloads.some((workload) => workload.id === id));
if (unknown.length > 0) {
  const names = [...Object.keys(groups), ...workloads.map(({ id }) => id)];
  console.error(`No workload ${unknown.join(", ")}. There are: ${names.join(", ")}.`);
  process.exit(1);
}

const pages = new PageRuns({ profileTo: flags.profile, only: flags.only });
const measured: Line[] = [];
try {
  for (const workload of workloads) {
    if (asked.length > 0 && !asked.includes(workload.id)) continue;
    const lines = workload.runs === "page" ? await pages.measure(workload) : await runInNode(workload);
    printLines(lines);
    measured.push(...lines);
    if (isNoted) note(workload, lines);
  }
} finally {
  await pages.close();
  printGoals(measured);
}

/** Puts one workload's result in the place of its last one. */
function note(workload: Workload, lines: readonly Line[]): void {
  const results = JSON.parse(readFileSync(RESULTS, "utf8")) as { [id: string]: Result };
  const browser = workload.runs === "page" ? { chromium: pages.version } : {};
  results[workload.id] = {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model ?? "", cores: cpus().length, node: process.version, ...browser },
    versions: versionsOf(workload.peers),
    lines: lines.map(rounded),
  };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}

/** The versions that bench/package.json pins. */
function versionsOf(peers: readonly string[]): { [peer: string]: string } {
  const { dependencies } = JSON.parse(readFileSync(`${import.meta.dirname}/package.json`, "utf8")) as {
    readonly dependencies: { readonly [name: string]: string };
  };
  return Object.fromEntries(peers.map((name) => [name, dependencies[name] ?? ""]));
}

/** Four digits say all that a run knows. */
function rounded(line: Line): Line {
  const round = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);
  return JSON.parse(JSON.stringify(line), round) as Line;
}
