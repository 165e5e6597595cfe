// Owns: the table that a run prints.

import type { Line, Summary } from "./summary.ts";

/** Prints lines, each side's p50 / p95 / min under the workload and variant. */
export function printLines(lines: readonly Line[]): void {
  console.log("\n\np50 / p95 / min; ratios: Plasma's figure to the other's in this run, answers equal\n");
  for (const { workload, variant, unit, sides, ratios, goal, absent } of lines) {
    console.log(`${workload}  ${variant} [${unit}]${goal === "" ? "" : `  (goal ${goal})`}`);
    for (const [name, side] of Object.entries(sides)) console.log(`    ${name.padEnd(28)} ${figures(side)}`);
    for (const [name, why] of Object.entries(absent ?? {})) console.log(`    ${name.padEnd(28)} – (${why})`);
    const shown = Object.entries(ratios).map(([what, ratio]) => `${what} ${ratio.toFixed(2)}`);
    if (shown.length > 0) console.log(`    ratio: ${shown.join(" · ")}`);
  }
}

const figures = ({ p50, p95, min }: Summary): string => [p50, p95, min].map(short).join(" / ");
const short = (n: number): string => n.toFixed(n < 1 ? 4 : n < 100 ? 2 : 0);
