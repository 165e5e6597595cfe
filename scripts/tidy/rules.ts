// Owns: the house rules that no linter knows. Pure: files in, problems out.
// Invariants:
//   1. Every rule here has a case in tidy.test.ts that breaks it and one that keeps it.
//   2. Tests and suites are free of the size, word, error and package rules, never of import direction and cycles.
import { findCycles, resolveImport } from "./import-graph.ts";
import { mayImportNode, PACKAGE_PLACES, ROOM_IMPORTS, WORD_RULES } from "./rooms.ts";
import { type Found, parseSourceFile, type SourceFile } from "./source-file.ts";

export const FILE_LINES_MAX = 500;
export const FUNCTION_LINES_MAX = 60;
export const PARAMS_MAX = 4;

export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

type Report = (rule: string, line: number, message: string) => void;

const SOURCE_ROOT = "packages/plasma-sync/src/";
const FORBIDDEN_NAMES = /^(utils?|helpers?|common|misc|manager|service|impl|base|types)$/;
const FORBIDDEN_NAME_PARTS = /^(utils?|helpers?|misc|manager|impl)$/;
const FILE_NAME =
  /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|test-d|suite|fixture|fuzz|browser|workerd|e2e|config|d))*\.(ts|tsx|mts|mjs)$/;
const TEST_NAME = /\.(test|suite|fixture|test-d)\.tsx?$/;

/** Judges files together, as cycles need all of them. Paths are relative to the repository. */
export function findProblems(files: readonly { path: string; text: string }[]): Problem[] {
  const problems: Problem[] = [];
  const sources = files.map(({ path, text }) => parseSourceFile(path, text));
  for (const source of sources) {
    const report: Report = (rule, line, message) => problems.push({ path: source.path, line, rule, message });
    checkName(source, report);
    checkImports(source, report);
    if (isTest(source.path)) continue;
    checkSizes(source, report);
    checkCatches(source, report);
    if (!isLibrary(source.path)) continue;
    checkPackages(source, report);
    checkWords(source, report);
    checkErrors(source, report);
    checkExports(source, report);
  }
  for (const cycle of findCycles(sources)) {
    const [path = ""] = cycle;
    problems.push({ path, line: 1, rule: "import-cycle", message: `imports itself: ${[...cycle, path].join(" → ")}` });
  }
  return problems;
}

/** Whether size and word rules leave a file alone. */
export function isTest(path: string): boolean {
  return TEST_NAME.test(path) || path.startsWith("test/");
}

function isLibrary(path: string): boolean {
  return path.startsWith(SOURCE_ROOT);
}

function placeInSource(path: string): string {
  return path.slice(SOURCE_ROOT.length);
}

function roomOf(path: string): string | undefined {
  return isLibrary(path) ? placeInSource(path).split("/")[0] : undefined;
}

function checkName({ path }: SourceFile, report: Report): void {
  const folders = path.split("/");
  const fileName = folders.pop() ?? "";
  const [stem = ""] = fileName.split(".");
  if (!FILE_NAME.test(fileName)) report("file-name", 1, `"${fileName}" is not kebab-case; name it for its main export`);
  const bad = [...folders, stem].find((name) => FORBIDDEN_NAMES.test(name));
  const badPart = stem.split("-").find((part) => FORBIDDEN_NAME_PARTS.test(part));
  const word = bad ?? badPart;
  if (word !== undefined) report("forbidden-name", 1, `"${word}" says nothing; name it for what it holds`);
}

function checkImports(source: SourceFile, report: Report): void {
  const room = roomOf(source.path);
  if (room === undefined) return;
  const allowed = ROOM_IMPORTS[room];
  if (allowed === undefined) return report("room", 1, `"${room}" is no room of the library; see scripts/tidy/rooms.ts`);
  for (const { text, line } of source.imports) {
    if (text.startsWith("plasma-sync"))
      report("import-self", line, `imports "${text}"; inside the library use a relative path`);
    if (!text.startsWith(".")) continue;
    const target = resolveImport(source.path, text);
    const targetRoom = roomOf(target);
    if (targetRoom === undefined) report("import-outside", line, `imports "${text}", which is outside the library`);
    else if (!allowed.includes(targetRoom))
      report("import-direction", line, `${room} may not import ${targetRoom} ("${text}")`);
    else if (targetRoom === room && target.endsWith("/index.ts") && !isTest(source.path)) {
      report("import-entry", line, `imports the entry "${text}" of its own room; import the file itself`);
    }
  }
}

function checkPackages(source: SourceFile, report: Report): void {
  const place = placeInSource(source.path);
  for (const { text, line } of source.imports) {
    if (text.startsWith(".") || text.startsWith("plasma-sync")) continue;
    if (text.startsWith("node:")) {
      if (!mayImportNode(place))
        report("node-import", line, `"${text}" belongs to server/node and files named for Node`);
      continue;
    }
    const name = text.split("/", text.startsWith("@") ? 2 : 1).join("/");
    const places = PACKAGE_PLACES[name];
    if (places === undefined)
      report("package-import", line, `"${name}" is not a dependency listed in scripts/tidy/rooms.ts`);
    else if (!startsWithAny(place, places)) report("package-import", line, `"${name}" belongs to ${places.join(", ")}`);
  }
}

function checkSizes(source: SourceFile, report: Report): void {
  if (source.lineCount > FILE_LINES_MAX) {
    report("file-size", 1, `${source.lineCount} lines; at most ${FILE_LINES_MAX}`);
  }
  for (const { name, line, lineCount, paramCount, isConstructor } of source.functions) {
    if (lineCount > FUNCTION_LINES_MAX) {
      report("function-size", line, `${name} has ${lineCount} lines; at most ${FUNCTION_LINES_MAX}`);
    }
    if (paramCount > PARAMS_MAX && !isConstructor) {
      report("params", line, `${name} has ${paramCount} parameters; at most ${PARAMS_MAX}, then an options object`);
    }
  }
}

function checkWords(source: SourceFile, report: Report): void {
  const place = placeInSource(source.path);
  for (const { word, use, places, instead } of WORD_RULES) {
    if (startsWithAny(place, places)) continue;
    const found: readonly Found[] = source[use].filter(({ text }) => word.test(text));
    for (const { text, line } of found)
      report("platform-word", line, `"${text}" lives in ${places.join(", ")}; ${instead}`);
  }
}

function checkErrors(source: SourceFile, report: Report): void {
  const bare = [...source.news, ...source.calls].filter(({ text }) => /^Error(\(\))?$/.test(text));
  for (const { line } of bare) report("bare-error", line, "a bare Error; throw a PlasmaError, or assert");
}

function checkCatches(source: SourceFile, report: Report): void {
  for (const { line } of source.emptyCatches)
    report("empty-catch", line, "an empty catch; handle it, or say in code what it means");
}

function checkExports(source: SourceFile, report: Report): void {
  for (const { text, line } of source.exports) report("export", line, `"${text}"; export each thing by its name`);
}

function startsWithAny(text: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => text.startsWith(prefix));
}
