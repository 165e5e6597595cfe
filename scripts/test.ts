// Owns: `npm test`: every check of the repository, one after another, on to the end after a failure.
//   node scripts/test.ts             everything
//   node scripts/test.ts types node  these steps only
// Invariants:
//   1. The last line of stdout is `N passed, N failed`: each vitest test counts one, each other step counts one.
//   2. Nothing counts as passed that did not run: a test project without a test is a failure, and so is a step that
//      dies or outlives its bound.
//   3. The end of the output names every test that failed. Where a few files failed they run once more, alone; a test that
//      passes then counts as passed and is named as unsteady.
import { spawn } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { relative } from "node:path";

interface Totals {
  passed: number;
  failed: number;
  /** A line per test that failed, or that passed only when it ran again. */
  told?: readonly string[];
}

type Step = () => Promise<Totals>;

const STEP_MS_MAX = 20 * 60_000; // The slowest step takes a few minutes; beyond this it hangs.
const KILL_GRACE_MS = 5_000;
const RERUN_FILES_MAX = 3; // More than that is no accident of a slow machine.
const TODO = "examples/todo";
const NOTES = "examples/offline-notes";

process.chdir(`${import.meta.dirname}/..`);

const steps: Record<string, Step> = {
  tidy: () => check(["scripts/tidy.ts"]),
  format: () => check(["node_modules/oxfmt/bin/oxfmt", "--check"]),
  lint: () => check(["node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings"]),
  types,
  node: () => vitest("node"),
  workerd: () => vitest("workerd"),
  browser: () => vitest("browser"),
  e2e: () => vitest("e2e"),
  build: () => check(["scripts/build.ts"]),
  size: () => check(["scripts/size.ts"]),
  deploy,
};

await main(process.argv.slice(2));

async function main(asked: readonly string[]): Promise<void> {
  const unknown = asked.filter((name) => !(name in steps));
  if (unknown.length > 0) {
    console.error(`No step is called ${unknown.join(", ")}. Steps: ${Object.keys(steps).join(", ")}`);
    process.exitCode = 2;
    return;
  }
  const totals: Totals = { passed: 0, failed: 0 };
  const summary: string[] = [];
  const told: string[] = [];
  for (const [name, step] of Object.entries(steps)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    console.log(`\n── ${name} ──`);
    const startedMs = Date.now();
    const { passed, failed, told: lines = [] } = await step();
    totals.passed += passed;
    totals.failed += failed;
    told.push(...lines);
    const mark = failed > 0 ? "✗" : "✓";
    summary.push(
      `${mark} ${name.padEnd(8)} ${passed} passed, ${failed} failed  (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`,
    );
  }
  console.log(`\n${[...summary, ...told].join("\n")}\n`);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed > 0 ? 1 : 0;
}

/** The repository's program, then each example's own. */
async function types(): Promise<Totals> {
  const programs = ["tsconfig.json", ...globSync("examples/*/tsconfig.json")];
  return addUp(programs.map((program) => () => check(["node_modules/typescript/bin/tsc", "-p", program, "--noEmit"])));
}

/** What the examples deploy builds, offline: the todo app's page and Worker, the notes app's page. */
async function deploy(): Promise<Totals> {
  const wrangler = [
    `${process.cwd()}/node_modules/wrangler/bin/wrangler.js`,
    "deploy",
    "--dry-run",
    "--outdir",
    ".wrangler/out",
  ];
  return addUp([
    () => check([`${process.cwd()}/node_modules/vite/bin/vite.js`, "build"], TODO),
    () => check([`${process.cwd()}/node_modules/vite/bin/vite.js`, "build"], NOTES),
    () => check(wrangler, TODO),
  ]);
}

async function addUp(parts: readonly Step[]): Promise<Totals> {
  const sum: Totals = { passed: 0, failed: 0 };
  for (const part of parts) {
    const { passed, failed } = await part();
    sum.passed += passed;
    sum.failed += failed;
  }
  return sum;
}

async function check(args: readonly string[], cwd?: string): Promise<Totals> {
  const isGood = (await node(args, cwd)) === 0;
  return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1 };
}

/** What is read of vitest's JSON report. */
interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

async function vitest(project: string): Promise<Totals> {
  const { code, report } = await runVitest(project);
  if (report === null) {
    console.log(`${project}: vitest gave no report (exit code ${code})`);
    return { passed: 0, failed: 1 };
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) console.log(`${project}: ${skipped} skipped`);
  const failures = failuresOf(report);
  const passed = report.numPassedTests;
  if (passed + failures.length === 0) console.log(`${project}: ran no test`);
  if (failures.length === 0) return { passed, failed: code !== 0 || passed === 0 ? 1 : 0 };
  const again = await runAgain(project, failures);
  const isUnsteady = (failure: Failure) => again.get(failure.file)?.has(failure.test) === true;
  const unsteady = failures.filter(isUnsteady);
  const told = failures.map((failure) => `${isUnsteady(failure) ? "unsteady" : "✗"} ${project}: ${textOf(failure)}`);
  return { passed: passed + unsteady.length, failed: failures.length - unsteady.length, told };
}

/** One vitest run of a project, or of some of its files. */
async function runVitest(project: string, files: readonly string[] = []) {
  const reportFile = `.tmp/vitest-${project}.json`;
  mkdirSync(".tmp", { recursive: true });
  rmSync(reportFile, { force: true });
  const code = await node([
    "node_modules/vitest/vitest.mjs",
    "run",
    ...files,
    "--project",
    project,
    "--allowOnly=false",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
  ]);
  const report: VitestReport | null = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, "utf8")) : null;
  return { code, report };
}

interface Failure {
  readonly file: string;
  readonly test: string;
  readonly message: string;
}

/** A file that fails to load has no test to fail, so it counts by itself. */
function failuresOf(report: VitestReport): Failure[] {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const failed = assertionResults.filter((result) => result.status === "failed");
    if (status === "failed" && assertionResults.length === 0) return [{ file, test: "(the whole file)", message }];
    return failed.map(({ fullName, failureMessages }) => ({ file, test: fullName, message: failureMessages[0] ?? "" }));
  });
}

/** The tests that passed when the files of `failures` ran again, by file. */
async function runAgain(project: string, failures: readonly Failure[]): Promise<Map<string, Set<string>>> {
  const files = [...new Set(failures.map(({ file }) => file))];
  if (files.length > RERUN_FILES_MAX) return new Map();
  console.log(`\n${project}: ${failures.map(textOf).join("\n  ")}\nonce more:`);
  const { report } = await runVitest(project, files);
  return new Map(
    report?.testResults.map(({ name, assertionResults }) => [
      relative(process.cwd(), name),
      new Set(assertionResults.filter(({ status }) => status === "passed").map(({ fullName }) => fullName)),
    ]),
  );
}

function textOf({ file, test, message }: Failure): string {
  return `${file} > ${test}: ${message.split("\n", 1)[0] ?? ""}`;
}

/** Runs Node on a script in a process group of its own, so that nothing of it outlives its bound. Resolves to the exit code. */
function node(args: readonly string[], cwd = "."): Promise<number> {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_SEND_ERROR_REPORTS: "false",
      WRANGLER_HIDE_BANNER: "true",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    };
    const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"], detached: true });
    const end = (signal: NodeJS.Signals) => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
    };
    const interrupt = () => {
      end("SIGTERM");
      process.exit(130);
    };
    const timer = setTimeout(() => {
      console.log(`stopped after ${STEP_MS_MAX / 60_000} minutes: ${args.join(" ")}`);
      end("SIGTERM");
      setTimeout(() => end("SIGKILL"), KILL_GRACE_MS).unref();
    }, STEP_MS_MAX);
    const finish = (code: number) => {
      clearTimeout(timer);
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      resolve(code);
    };
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    child.once("error", (error) => {
      console.log(error.message);
      finish(1);
    });
    child.once("close", (code) => finish(code ?? 1));
  });
}
