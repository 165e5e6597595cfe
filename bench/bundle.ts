// Owns: `bundle`: what a page loads before it can use the client, in KiB, minified and gzipped by the same bundler with the same
// options, beside Replicache, which has no query engine.
//   node bundle.ts [--json=FILE]

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { bundleKiB, clientSize } from "../scripts/bundle-size.ts";
import { goalText, ratiosTo, summarise, type Goal, type Line } from "./summary.ts";

const PEER = "Replicache";
/** 34 KiB, which was what Replicache took. */
const goal: Goal = { to: PEER, of: "p50", max: 1 };

const { values: asked } = parseArgs({ options: { json: { type: "string" } } });
const own = await clientSize();
const peer = await bundleKiB(new Map([["replicache", new Set(["Replicache"])]]), {
  external: [],
  from: import.meta.dirname,
});
const lines = [
  lineOf("with the query engine", own.allKiB, [goal]),
  lineOf("without the query engine", own.withoutQueryEngineKiB, []),
];
if (asked.json !== undefined) writeFileSync(asked.json, JSON.stringify(lines));

function lineOf(variant: string, ownKiB: number, goals: readonly Goal[]): Line {
  const sides = { Plasma: summarise([ownKiB]), [PEER]: summarise([peer]) };
  const { [`p50 to ${PEER}`]: ratio = NaN } = ratiosTo(sides, [PEER], `to ${PEER}`);
  const goalInWords = goals.map(goalText).join(", ");
  return { workload: "bundle", variant, unit: "KiB", sides, ratios: { ratio }, goal: goalInWords, goals };
}
