import fc from "fast-check";
import { expect, test } from "vitest";
import { OrderedMap } from "./ordered-map.ts";

interface Entry {
  readonly key: number;
  readonly tag: number;
}
const compare = (a: Entry, b: Entry) => a.key - b.key;
const key = fc.integer({ min: 0, max: 1200 });
const step = fc.oneof(
  fc.record({ type: fc.constant("set" as const), key, tag: fc.nat(9) }),
  fc.record({ type: fc.constant("delete" as const), key }),
  // Runs fill and empty chunks, so that they split, merge and vanish.
  fc.record({ type: fc.constant("fill" as const), from: key, count: fc.nat(300) }),
  fc.record({ type: fc.constant("clear" as const), from: key, count: fc.nat(300) }),
  fc.record({
    type: fc.constant("add" as const),
    from: key,
    keys: fc.uniqueArray(key, { maxLength: 300, size: "max" }),
  }),
);

test("an ordered map behaves as a sorted array", () => {
  const property = fc.property(
    fc.array(key, { maxLength: 1000, size: "max" }),
    fc.boolean(),
    fc.array(step, { maxLength: 30 }),
    (loaded, isLookedInto, steps) => {
      const initial = [...new Set(loaded)].map((k) => ({ key: k, tag: -1 }));
      const model = new Map(initial.map((entry) => [entry.key, entry]));
      const map = new OrderedMap<Entry>(compare, initial);
      const set = (entry: Entry) => {
        expect(map.set(entry)).toBe(model.get(entry.key));
        model.set(entry.key, entry);
      };
      const remove = (k: number) => {
        expect(map.delete({ key: k, tag: 0 })).toBe(model.get(k));
        model.delete(k);
      };
      // Half of the maps meet their first edits while most of them is unsorted.
      if (isLookedInto) expectSame(map, [...model.values()].sort(compare), 0);
      const addAll = (keys: readonly number[]) => {
        const added = keys.filter((k) => !model.has(k)).map((k) => ({ key: k, tag: 1 }));
        map.addAll(added);
        for (const entry of added) model.set(entry.key, entry);
      };
      for (const s of steps) {
        if (s.type === "add") addAll(s.keys);
        else if (s.type === "set") set({ key: s.key, tag: s.tag });
        else if (s.type === "delete") remove(s.key);
        else for (let k = s.from; k < s.from + s.count; k++) s.type === "fill" ? set({ key: k, tag: 0 }) : remove(k);
        if (isLookedInto) expectSame(map, [...model.values()].sort(compare), "from" in s ? s.from : s.key);
      }
      expectSame(map, [...model.values()].sort(compare), 600);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

function expectSame(map: OrderedMap<Entry>, sorted: readonly Entry[], near: number): void {
  expect(map.size).toBe(sorted.length);
  const target = { key: near, tag: 0 };
  const position = sorted.findIndex((entry) => entry.key >= near);
  expect(map.get(target)).toBe(sorted.find((entry) => entry.key === near));
  expect(map.position(target)).toBe(position === -1 ? sorted.length : position);
  expect(map.at(near)).toBe(sorted[near]);
  const shown: Entry[] = [];
  map.visit(
    (entry) => entry.key - near,
    (entry) => shown.push(entry) > 0,
  );
  expect(shown).toEqual(sorted.filter((entry) => entry.key >= near));
  expect(map.slice(near, near + 5)).toEqual(sorted.slice(near, near + 5));
  expect(map.last).toBe(sorted.at(-1));
  expect(map.slice()).toEqual(sorted);
}

test("an iteration goes on while other searches split chunks", () => {
  const entries = Array.from({ length: 3000 }, (_, i) => ({ key: (i * 7919) % 3000, tag: 0 }));
  const map = new OrderedMap<Entry>(compare, entries.slice());
  const seen: number[] = [];
  map.visit(
    ({ key: other }) => other - 1500,
    ({ key: k }) => {
      if (seen.push(k) % 10 === 0) map.get({ key: 1500 - seen.length, tag: 0 });
      return true;
    },
  );
  expect(seen).toEqual(Array.from({ length: 1500 }, (_, i) => 1500 + i));
});

test("the first entries of a large load cost a few comparisons per entry", () => {
  let compared = 0;
  const counting = (a: Entry, b: Entry) => ((compared += 1), compare(a, b));
  const map = new OrderedMap<Entry>(
    counting,
    Array.from({ length: 50_000 }, (_, i) => ({ key: (i * 7919) % 50_000, tag: 0 })),
  );
  expect(map.slice(0, 100).map(({ key: k }) => k)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(compared).toBeLessThan(4 * 50_000);
  const afterFirst = compared;
  map.set({ key: 10.5, tag: 0 });
  expect(compared - afterFirst).toBeLessThan(40);
});
