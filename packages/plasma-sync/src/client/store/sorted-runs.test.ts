// Sorting many that come a few at a time.

import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedRuns } from "./sorted-runs.ts";

test("whatever pieces come, all items are taken in order, once, and the next begin anew", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 20 })), (pieces) => {
      const runs = new SortedRuns<number>((a, b) => a - b);
      for (let round = 0; round < 2; round++) {
        for (const piece of pieces) runs.add([...piece]);
        expect(runs.size).toBe(pieces.flat().length);
        expect(runs.take()).toEqual(pieces.flat().sort((a, b) => a - b));
        expect(runs.size).toBe(0);
      }
    }),
  );
});

test("items are compared a few times each, however many pieces there are", () => {
  let compared = 0;
  const runs = new SortedRuns<number>((a, b) => {
    compared += 1;
    return a - b;
  });
  const count = 64 * 256;
  for (let i = 0; i < count; i += 64) runs.add(Array.from({ length: 64 }, (_, j) => ((i + j) * 7919) % count));
  expect(runs.take().length).toBe(count);
  expect(compared / count).toBeLessThan(20);
});
