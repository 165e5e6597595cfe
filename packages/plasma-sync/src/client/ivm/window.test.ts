import { expect, test } from "vitest";
import { Window } from "./window.ts";

test("of many rows that come in one commit a window holds the first, and compares the others once or twice", () => {
  let compared = 0;
  const compare = (a: number, b: number): number => {
    compared += 1;
    return a - b;
  };
  const rows: number[] = [];
  const window = new Window<number>(
    {
      isOrdered: true,
      compare,
      keyOf: String,
      pull: (from, visit) => void rows.filter((row) => row >= (from ?? 0)).every(visit),
    },
    0,
    10,
  );
  rows.push(...Array.from({ length: 10_000 }, (_, i) => i));
  window.push(rows.map((after) => ({ before: null, after })));
  expect(window.shown()).toEqual(rows.slice(0, 10));
  expect(window.settle().map(({ after }) => after)).toEqual(rows.slice(0, 10));
  expect(compared).toBeLessThan(2 * rows.length);
  // Those that were let go are found again.
  window.push(rows.splice(0, 9_980).map((before) => ({ before, after: null })));
  expect(window.shown()).toEqual(rows.slice(0, 10));
});
