// Owns: making a fresh clone ready. Dependency-free, and runs on Node 20; npm's pre-scripts call it.
//   node scripts/setup.mjs             install from the lockfile when node_modules is missing or stale
//   node scripts/setup.mjs --browser   also install Chromium when none is found
//   node scripts/setup.mjs --postgres  also install Postgres when none is found
//   node scripts/setup.mjs --bench     also install bench/, which has a lockfile of its own
//   node scripts/setup.mjs --stamp     only note that node_modules now equals the lockfile (npm's postinstall)
// Invariants:
//   1. When everything is ready it prints nothing, changes nothing and takes milliseconds.
//   2. "Ready" means that the hash of package-lock.json equals the one noted inside node_modules.
//   3. One setup per checkout at a time: others wait for it, then look again. A dead holder's lock is taken over.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findChromium } from "./chromium.mjs";
import { findPostgres } from "./postgres.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK = join(ROOT, ".tmp", "setup.lock");
const LOCK_WAIT_MS_MAX = 15 * 60_000; // A cold install on a slow line takes minutes; longer than this is stuck.
const STEP_MS_MAX = 10 * 60_000;
const OUTPUT_CHARS_MAX = 1_500; // Of a failed step, its beginning and its end: either may say why.
const NODE_MIN = [22, 12];

/** A failure that a person can act on: printed without a stack. */
class SetupFailure extends Error {}

const say = (/** @type {string} */ line) => console.log(`setup: ${line}`);

try {
  await main(new Set(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}

/** @param {Set<string>} flags */
async function main(flags) {
  if (flags.has("--stamp")) return stamp(ROOT);
  const folders = [ROOT, ...(flags.has("--bench") ? [join(ROOT, "bench")] : [])];
  const wantsBrowser = flags.has("--browser");
  const wantsPostgres = flags.has("--postgres");
  const hasBrowser = () => !wantsBrowser || findChromium() !== undefined;
  const hasPostgres = () => !wantsPostgres || findPostgres() !== undefined;
  const isReady = () => folders.every(isInstalled) && hasBrowser() && hasPostgres();
  if (!isReady()) {
    const release = await takeLock();
    try {
      for (const folder of folders) if (!isInstalled(folder)) await install(folder);
      if (!hasBrowser()) await installChromium();
      if (!hasPostgres()) await installPostgres();
    } finally {
      release();
    }
  }
  checkNode();
}

// --- packages ---

/** @param {string} folder */
function stampFile(folder) {
  return join(folder, "node_modules", ".plasma-lock-hash");
}

/** @param {string} folder */
function lockHash(folder) {
  return createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
}

/** @param {string} folder */
function isInstalled(folder) {
  if (!existsSync(join(folder, "package-lock.json"))) return true; // Nothing to install from.
  return existsSync(stampFile(folder)) && readFileSync(stampFile(folder), "utf8") === lockHash(folder);
}

/** @param {string} folder */
function stamp(folder) {
  writeFileSync(stampFile(folder), lockHash(folder));
}

/** @param {string} folder */
async function install(folder) {
  const name = folder === ROOT ? "packages" : "the packages of bench/";
  const before = existsSync(join(folder, "node_modules")) ? "out of date" : "missing";
  say(`${name}: ${before}; installing from the lockfile (about half a minute)`);
  const started = Date.now();
  const [command, ...prefix] = npmCommand();
  const result = await run(command, [...prefix, "ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder });
  if (result.code !== 0) {
    throw new SetupFailure(
      `npm ci failed in ${folder}:\n${result.output}\nCheck the network and the npm registry, then run this again.`,
    );
  }
  stamp(folder);
  say(`${name}: installed in ${seconds(started)}`);
}

/**
 * npm by the Node that runs npm now: the one in node_modules is about to be removed.
 * @returns {[string, ...string[]]}
 */
function npmCommand() {
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  return npm && node ? [node, npm] : ["npm"];
}

/** The lockfile brings Node 24 on Linux x64; elsewhere the installed Node must be new enough. */
function checkNode() {
  if (existsSync(join(ROOT, "node_modules", ".bin", "node"))) return;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [majorMin = 0, minorMin = 0] = NODE_MIN;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  throw new SetupFailure(
    `Node ${process.versions.node} is too old for this repository; install Node ${NODE_MIN.join(".")} or newer.`,
  );
}

// --- Chromium and Postgres ---

async function installChromium() {
  if (process.env.CHROMIUM_PATH) {
    throw new SetupFailure(
      `CHROMIUM_PATH is "${process.env.CHROMIUM_PATH}", which cannot be executed. Correct it or unset it.`,
    );
  }
  // Debian's own package is small, and brings the libraries that it needs.
  const failures = await tryEach("Chromium", [aptSteps("chromium"), downloadSteps()], findChromium);
  if (failures === undefined) return;
  throw new SetupFailure(
    `Chromium could not be installed, and browser tests need it.\n${failures}\n` +
      "Install Chromium or Chrome by hand, or set CHROMIUM_PATH to its executable, then run this again.",
  );
}

async function installPostgres() {
  if (process.env.POSTGRES_BIN) {
    throw new SetupFailure(
      `POSTGRES_BIN is "${process.env.POSTGRES_BIN}", which does not hold initdb and postgres. Correct it or unset it.`,
    );
  }
  const failures = await tryEach("Postgres", [aptSteps("postgresql")], findPostgres);
  if (failures === undefined) return;
  throw new SetupFailure(
    `Postgres could not be installed, and the server's tests need it.\n${failures}\n` +
      "Install PostgreSQL 15 or newer by hand (it need not run), or set POSTGRES_BIN to the folder that holds initdb " +
      "and postgres, then run this again.",
  );
}

/** @typedef {{ what: string; steps: string[][] }} Way */

/**
 * Tries ways to install something until it is there.
 * @param {string} name
 * @param {(Way | undefined)[]} ways
 * @param {() => string | undefined} find
 * @returns {Promise<string | undefined>} why every way failed; undefined when one did not
 */
async function tryEach(name, ways, find) {
  const started = Date.now();
  const failures = [];
  for (const way of ways) {
    if (way === undefined) continue;
    say(`${name}: none found; ${way.what}`);
    const failure = await runAll(way.steps);
    if (failure === undefined && find() !== undefined) {
      say(`${name}: ready in ${seconds(started)}`);
      return undefined;
    }
    failures.push(failure ?? `${way.what}: it ended well, but there is still no ${name}`);
  }
  return failures.length > 0 ? failures.join("\n") : "No way to install it is known on this system.";
}

/**
 * @param {string} packageName
 * @returns {Way | undefined}
 */
function aptSteps(packageName) {
  if (!existsSync("/usr/bin/apt-get")) return undefined;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !existsSync("/usr/bin/sudo")) return undefined;
  // Without a terminal nobody can type a password: let sudo fail instead of wait.
  const sudo = isRoot ? [] : ["sudo", ...(process.stdin.isTTY ? [] : ["-n"])];
  const apt = [...sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120", "-qq"];
  return {
    what: `installing Debian's ${packageName} with apt-get (about 20 s)`,
    steps: [
      [...apt, "update"],
      [...apt, "install", "-y", "--no-install-recommends", packageName],
    ],
  };
}

function downloadSteps() {
  const cli = join(ROOT, "node_modules", "playwright-core", "cli.js");
  return { what: "downloading Playwright's build", steps: [[process.execPath, cli, "install", "chromium"]] };
}

/**
 * Runs steps until one fails.
 * @param {string[][]} steps
 * @returns {Promise<string | undefined>} what failed, with the end of its output
 */
async function runAll(steps) {
  for (const [command = "", ...args] of steps) {
    const result = await run(command, args, { cwd: ROOT });
    if (result.code !== 0) return `${command} ${args.join(" ")}: exit code ${result.code}\n${result.output}`;
  }
  return undefined;
}

// --- one setup at a time ---

/** @returns {Promise<() => void>} releases the lock */
async function takeLock() {
  mkdirSync(dirname(LOCK), { recursive: true });
  const giveUpAt = Date.now() + LOCK_WAIT_MS_MAX;
  let said = false;
  while (Date.now() < giveUpAt) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      return () => rmSync(LOCK, { force: true });
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    const holder = lockHolder();
    if (holder !== undefined && !isAlive(holder)) rmSync(LOCK, { force: true });
    else await delay(300);
    if (!said && holder !== undefined && isAlive(holder))
      say(`another setup is at work (process ${holder}); waiting for it`);
    said = true;
  }
  throw new SetupFailure(
    `Another setup has held ${LOCK} for ${LOCK_WAIT_MS_MAX / 60_000} minutes. End it, remove that file and run this again.`,
  );
}

/** @returns {number | undefined} the process id in the lock file; undefined while it is being written or removed */
function lockHolder() {
  try {
    const pid = Number.parseInt(readFileSync(LOCK, "utf8"), 10);
    return Number.isNaN(pid) ? undefined : pid;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return undefined;
    throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM"; // It lives, but is another user's.
  }
}

// --- processes ---

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string }} options
 * @returns {Promise<{ code: number; output: string }>}
 */
function run(command, args, { cwd }) {
  return new Promise((done) => {
    const stdin = process.stdin.isTTY ? "inherit" : "ignore";
    const child = spawn(command, args, { cwd, stdio: [stdin, "pipe", "pipe"], shell: process.platform === "win32" });
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => (output += chunk);
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    const timer = setTimeout(() => {
      output += `\n(stopped after ${STEP_MS_MAX / 60_000} minutes)`;
      child.kill();
    }, STEP_MS_MAX);
    const finish = (/** @type {number} */ code) => {
      clearTimeout(timer);
      done({ code, output: shorten(output.trim()) });
    };
    child.on("error", (error) => {
      output += error.message;
      finish(1);
    });
    child.on("close", (code) => finish(code ?? 1));
  });
}

/** @param {string} output */
function shorten(output) {
  if (output.length <= 2 * OUTPUT_CHARS_MAX) return output;
  return `${output.slice(0, OUTPUT_CHARS_MAX)}\n…\n${output.slice(-OUTPUT_CHARS_MAX)}`;
}

/** @param {number} startedMs */
function seconds(startedMs) {
  return `${((Date.now() - startedMs) / 1000).toFixed(0)} s`;
}
