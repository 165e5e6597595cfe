// Owns: what a run prints: the figures of a workload, and the table of all goals at the end.

import { goalText, ratioOf, type Line, type Summary } from "./summary.ts";

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

/** One row per goal, as Markdown: Plasma, the other side, the ratio, and whether it is met. */
export function printGoals(lines: readonly Line[]): void {
  const rows = lines.flatMap((line) =>
    (line.goals ?? []).flatMap((goal) => {
      const [own, other, ratio] = [line.sides["Plasma"], line.sides[goal.to], ratioOf(line, goal)];
      if (own === undefined || other === undefined || ratio === undefined) return [];
      const verdict = ratio <= goal.max ? "met" : "missed";
      const measured = [own[goal.of], other[goal.of]].map(short).join(" / ");
      const what = `\`${line.workload}\` ${line.variant}, ${line.unit}`;
      return [`| ${what} | ${measured} | ${ratio.toFixed(2)} | ${goalText(goal)} | ${verdict} |`];
    }),
  );
  if (rows.length === 0) return;
  console.log("\n| work | Plasma / beside it | ratio | goal | |\n|---|---|---|---|---|");
  for (const row of rows) console.log(row);
}

const figures = ({ p50, p95, min }: Summary): string => [p50, p95, min].map(short).join(" / ");
const short = (n: number): string => n.toFixed(n < 1 ? 4 : n < 100 ? 2 : 0);
