// Owns: `npm run soak -- --parts kill,tabs`: the long runs that decide whether a client may be trusted with somebody's work, one
// after another. test/soak/result.json has the last run of each part: when, where, of which commit, what happened how often.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

/** Name → program, with its arguments. */
const parts: Readonly<Record<string, readonly string[]>> = {
  kill: ["kill.ts", "--kills", "200"],
  tabs: ["tabs/tabs.ts", "--minutes", "10"],
};
const RESULT = `${import.meta.dirname}/result.json`;

const { values } = parseArgs({ options: { parts: { type: "string", default: Object.keys(parts).join(",") } } });
const asked = values.parts.split(",");
const unknown = asked.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`no part is called ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "plasma-soak-"));
const summary: string[] = [];
for (const name of asked) {
  console.log(`\n── ${name} ──`);
  const out = join(folder, `${name}.json`);
  const isGood = (await run([...(parts[name] ?? []), "--out", out])) === 0 && existsSync(out);
  if (existsSync(out)) record(name, { isGood, machine: machine(), ...JSON.parse(readFileSync(out, "utf8")) });
  summary.push(`${isGood ? "✓" : "✗"} ${name}`);
  if (!isGood) process.exitCode = 1;
}
rmSync(folder, { recursive: true, force: true });
console.log(`\n${summary.join("\n")}`);

/** Other parts keep what their last run has found. */
function record(name: string, result: object): void {
  const known = existsSync(RESULT) ? (JSON.parse(readFileSync(RESULT, "utf8")) as Record<string, object>) : {};
  writeFileSync(RESULT, `${JSON.stringify({ ...known, [name]: result }, null, 2)}\n`);
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.versions.node}`;
}

function run([program = "", ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], { stdio: "inherit" });
    child.once("error", (error) => {
      console.log(error.message);
      resolve(1);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
}
