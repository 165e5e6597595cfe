// Owns: running many cases: what they covered, and the smallest tape of the first that fails.

import { checkCase, keyOf, type CaseReport, type Follower } from "./check-case.ts";
import { Draw, shrink } from "./draw.ts";
import { drawQuery } from "./generate.ts";
import { ALL_OPERATORS } from "./operators.ts";
import { drawWorld } from "./world.ts";

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
  followers: readonly Follower[],
  coverage: Coverage,
): Promise<void> {
  const draw = new Draw(source);
  try {
    add(coverage, await checkCase(draw, followers));
  } catch (error) {
    const smallest = await shrink(draw.tape, async (tape) => (await errorOf(tape, followers)) !== null);
    const last = (await errorOf(smallest, followers)) ?? error;
    const name = typeof source === "number" ? `seed ${source}` : "a tape";
    const what = last instanceof Error ? last.stack : String(last);
    throw new Error(`${name}: ${what}\n${describe(smallest)}\ntape: ${JSON.stringify(smallest)}`, { cause: error });
  }
}

function add(coverage: Coverage, report: CaseReport): void {
  coverage.cases += 1;
  coverage.withRows += report.hasRows ? 1 : 0;
  coverage.commits += report.commits;
  coverage.altering += report.altering;
  for (const [i, one] of report.operators.entries())
    for (const other of report.operators.slice(i)) {
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

export const describeCoverage = (coverage: Coverage): string => {
  const missing = missingPairs(coverage);
  const all = (ALL_OPERATORS.length * (ALL_OPERATORS.length + 1)) / 2;
  return [
    `${coverage.cases} cases, ${percent(coverage.withRows, coverage.cases)} with rows`,
    `${coverage.commits} commits, ${percent(coverage.altering, coverage.commits)} alter the result`,
    `${all - missing.length} of ${all} pairs of operators${missing.length > 0 ? `; missing: ${missing.join(", ")}` : ""}`,
  ].join("\n");
};

async function errorOf(tape: readonly number[], followers: readonly Follower[]): Promise<unknown> {
  try {
    await checkCase(new Draw(tape), followers);
    return null;
  } catch (error) {
    return error;
  }
}

/** The world and the query of a tape, for people. */
function describe(tape: readonly number[]): string {
  const draw = new Draw(tape);
  const world = drawWorld(draw);
  const rows = [...world.rows].map(([table, own]) => `${table}: ${keyOf([...own.values()])}`);
  return [...rows, `query: ${keyOf(drawQuery(draw, world).ast)}`].join("\n");
}
