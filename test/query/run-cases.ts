// Owns: running many cases: what they covered, and the smallest tape of the first that fails.

import { checkCase } from "./check-case.ts";
import { drawCase, type Case } from "./draw-case.ts";
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

/** Runs a case from a seed or a tape; a failure is thrown with its shrunk tape. */
export async function runCase(
  source: number | readonly number[],
  executors: readonly Executor[],
  coverage: Coverage,
): Promise<void> {
  const draw = new Draw(source);
  const error = await errorOf(draw, executors, coverage);
  if (error === null) return;
  const check = checkOf(error);
  const fails = async (tape: readonly number[]): Promise<boolean> =>
    checkOf(await errorOf(new Draw(tape), executors, noCoverage())) === check;
  const smallest = await shrink(draw.tape, fails);
  const last = await errorOf(new Draw(smallest), executors, noCoverage());
  const name = typeof source === "number" ? `seed ${source}` : "a tape";
  const message = last instanceof Mismatch ? last.message : (last as Error).stack;
  throw new Error(`${name}: ${message}\n\n${describeTape(smallest)}\ntape: ${JSON.stringify(smallest)}`, {
    cause: error,
  });
}

const checkOf = (error: unknown): string | null =>
  error === null ? null : error instanceof Mismatch ? error.check : String(error);

async function errorOf(draw: Draw, executors: readonly Executor[], coverage: Coverage): Promise<unknown> {
  try {
    const given = drawCase(draw);
    add(coverage, given);
    await checkCase(given, executors);
    return null;
  } catch (error) {
    return error;
  }
}

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

/** The rows, the query and the commits of a tape, for people. */
export function describeTape(tape: readonly number[]): string {
  const { schema, start, query, steps } = drawCase(new Draw(tape));
  const tables = [...schema.tablesByName.values()].map(({ name, columns, indexes }) => {
    const kinds = columns.map(({ def }) => `${def.name} ${def.kind}${def.notNull ? "" : " null"}`);
    const rows = [...(start.get(name)?.values() ?? [])].map((row) => `    ${showOf(row)}`);
    return [`${name}(${kinds.join(", ")}) indexes ${JSON.stringify(indexes)}`, ...rows].join("\n");
  });
  const commits = steps.map(({ changes }, i) => {
    const lines = changes.map(({ table, before, after }) => `    ${table}: ${showOf(before)} → ${showOf(after)}`);
    return [`commit ${i + 1}`, ...lines].join("\n");
  });
  return [...tables, showQuery(query), ...commits].join("\n");
}
