// Owns: running the house rules (scripts/tidy/rules.ts) over the repository. Exit code 1 when one is broken.
import { globSync, readFileSync } from "node:fs";
import { findProblems } from "./tidy/rules.ts";

const SOURCES = [
  "packages/*/src/**/*.{ts,tsx}",
  "examples/*/**/*.{ts,tsx}",
  "scripts/**/*.{ts,mjs}",
  "test/**/*.{ts,tsx}",
];
const NOT_OURS = ["**/node_modules/**", "**/dist/**", "**/.wrangler/**"];

process.chdir(`${import.meta.dirname}/..`);
const paths = globSync(SOURCES, { exclude: NOT_OURS }).map((path) => path.replaceAll("\\", "/"));
const problems = findProblems(paths.sort().map((path) => ({ path, text: readFileSync(path, "utf8") })));
for (const { path, line, rule, message } of problems) console.log(`${path}:${line}  ${message}  [${rule}]`);
console.log(problems.length === 0 ? `tidy: ${paths.length} files, no problem` : `tidy: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
