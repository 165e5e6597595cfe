// Owns: the proof that the simulator finds bugs: each planted one shows at the seed that a hunt has recorded (`npm run
// sim:mutants -- --record`), and the code as it is shows nothing there.

import { expect, test } from "vitest";
import { bugs } from "./bugs.ts";
import { recorded, trySeeds } from "./hunt.ts";
import { checkBug } from "./planted-bug.ts";

const lairs = recorded();
/** Processes at once. */
const SIDE_BY_SIDE = 2;
/** Tried after the recorded one, which another draw somewhere may have turned into another run. */
const MORE_SEEDS = Array.from({ length: 75 }, (_, i) => i + 1);

test.each(bugs)("the text of the bug $name is where it says", (bug) => {
  expect(() => checkBug(bug)).not.toThrow();
});

test("a bug whose text has moved says so", () => {
  const edit = { file: "core/limits.ts", find: "no such text", replace: "" };
  expect(() => checkBug({ name: "moved", about: "", edits: [edit] })).toThrow(/occurs 0 times .* The code has moved/);
});

test("every bug has a seed at which it was found", () => {
  expect(bugs.filter(({ name }) => lairs[name] === undefined)).toEqual([]);
});

test.concurrent.for(bugs)("the bug $name is found", { timeout: 300_000 }, async (bug, { expect: expectThis }) => {
  const lair = lairs[bug.name];
  if (lair === undefined) return;
  const found = await inLine(() => trySeeds(bug, lair.world, [lair.seed, ...MORE_SEEDS]));
  expectThis(found?.violation, `hunt for it anew: npm run sim:mutants -- ${bug.name} --record`).toBeTypeOf("string");
});

test.concurrent.for(["trial", "generated"] as const)(
  "without a bug, those seeds of the %s world show nothing",
  { timeout: 300_000 },
  async (world, { expect: expectThis }) => {
    const seeds = [...new Set(Object.values(lairs).flatMap((lair) => (lair.world === world ? [lair.seed] : [])))];
    expectThis(await inLine(() => trySeeds(null, world, seeds))).toBeNull();
  },
);

const line = Array.from({ length: SIDE_BY_SIDE }, () => Promise.resolve() as Promise<unknown>);
let turns = 0;

/** Runs it when one of the places in line is free. */
function inLine<T>(run: () => Promise<T>): Promise<T> {
  const place = (turns += 1) % SIDE_BY_SIDE;
  const result = (line[place] as Promise<unknown>).then(run);
  line[place] = result.catch(() => undefined);
  return result;
}
