// Owns: running many cases: what they covered, and the smallest case that fails as one of them does.

import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import { checkCase } from "./check-case.ts";
import { decodeCase, encodeCase, shrinkCase, type Case } from "./case.ts";
import { drawCase } from "./draw-case.ts";
import { Draw, shrink } from "./draw.ts";
import type { Executor } from "./executors.ts";
import { Mismatch } from "./mismatch.ts";
import { ALL_OPERATORS, operatorsOf } from "./operators.ts";
import { showOf, showQuery } from "./show.ts";

export interface Coverage {
  cases: number;
  withRows: number;
  commits: number;
  altering: number;
  readonly pairs: Map<string, number>;
}

export const noCoverage = (): Coverage => ({ cases: 0, withRows: 0, commits: 0, altering: 0, pairs: new Map() });

/** Runs the case of a seed; a failure is thrown as the smallest case found that fails alike, with its text for regressions.ts. */
export async function runSeed(seed: number, executors: readonly Executor[], coverage: Coverage): Promise<void> {
  const draw = new Draw(seed);
  const given = drawCase(draw);
  add(coverage, given);
  const error = await errorOf(given, executors);
  if (error === null) return;
  const fails = async (smaller: Case): Promise<boolean> =>
    checkOf(await errorOf(smaller, executors)) === checkOf(error);
  const tape = await shrink(draw.tape, (shorter) => fails(drawCase(new Draw(shorter))));
  const smallest = await shrinkCase(drawCase(new Draw(tape)), fails);
  const message = messageOf(await errorOf(smallest, executors));
  throw new Error(`seed ${seed}: ${message}\n\n${describeCase(smallest)}\n${encodeCase(smallest)}`, { cause: error });
}

/** Runs a case that `encodeCase` has kept. */
export async function runKept(encoded: string, executors: readonly Executor[]): Promise<void> {
  const given = decodeCase(encoded);
  const error = await errorOf(given, executors);
  if (error !== null) throw new Error(`${messageOf(error)}\n\n${describeCase(given)}`, { cause: error });
}

async function errorOf(given: Case, executors: readonly Executor[]): Promise<unknown> {
  try {
    await checkCase(given, executors);
    return null;
  } catch (error) {
    return error;
  }
}

const checkOf = (error: unknown): string | null =>
  error === null ? null : error instanceof Mismatch ? error.check : String(error);

const messageOf = (error: unknown): string =>
  error instanceof Mismatch ? error.message : error instanceof Error ? String(error.stack) : String(error);

function add(coverage: Coverage, { query, expected, steps }: Case): void {
  const operators = operatorsOf(query);
  coverage.cases += 1;
  coverage.withRows += expected.length > 0 ? 1 : 0;
  coverage.commits += steps.length;
  coverage.altering += steps.filter(({ isAltered }) => isAltered).length;
  for (const [i, one] of operators.entries())
    for (const other of operators.slice(i)) {
      const pair = pairOf(one, other);
      coverage.pairs.set(pair, (coverage.pairs.get(pair) ?? 0) + 1);
    }
}

const pairOf = (one: string, other: string): string => [one, other].sort().join("+");

/** Pairs of operators that no case held. */
export const missingPairs = ({ pairs }: Coverage): string[] =>
  ALL_OPERATORS.flatMap((one, i) => ALL_OPERATORS.slice(i).map((other) => pairOf(one, other))).filter(
    (pair) => !pairs.has(pair),
  );

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

export function describeCoverage(coverage: Coverage): string {
  const missing = missingPairs(coverage);
  const all = (ALL_OPERATORS.length * (ALL_OPERATORS.length + 1)) / 2;
  const some = missing.length > 0 && missing.length < 20 ? `; missing: ${missing.join(", ")}` : "";
  return [
    `${coverage.cases} cases, ${percent(coverage.withRows, coverage.cases)} with rows`,
    `${coverage.commits} commits, ${percent(coverage.altering, coverage.commits)} alter the answer`,
    `${all - missing.length} of ${all} pairs of operators${some}`,
  ].join("\n");
}

/** How often each pair of operators occurred, as a table. */
export function describePairs({ pairs }: Coverage): string {
  const width = Math.max(...ALL_OPERATORS.map((name) => name.length));
  return ALL_OPERATORS.map((one, i) => {
    const counts = ALL_OPERATORS.slice(0, i + 1).map((other) => String(pairs.get(pairOf(one, other)) ?? 0).padStart(5));
    return `${one.padEnd(width)}${counts.join("")}`;
  }).join("\n");
}

/** The rows, the query and the commits, for people. */
function describeCase({ schema, start, query, steps }: Case): string {
  const tables = [...schema.tablesByName.values()].map(({ name, columns, indexes }) => {
    const kinds = columns.map(({ def }) => `${def.name} ${def.kind}${def.notNull ? "" : " null"}`);
    const rows = [...(start.get(name)?.values() ?? [])].map((row) => `    ${showOf(row)}`);
    return [`${name}(${kinds.join(", ")}) indexes ${JSON.stringify(indexes)}`, ...rows].join("\n");
  });
  const lines = (changes: readonly RowChange[]): string[] =>
    changes.map(({ table, before, after }) => `    ${table}: ${showOf(before)} → ${showOf(after)}`);
  const commits = steps.map(({ changes, overlaid }, i) =>
    [`commit ${i + 1}`, ...lines(changes), "  then written over", ...lines(overlaid.writes)].join("\n"),
  );
  return [...tables, showQuery(query), ...commits].join("\n");
}
