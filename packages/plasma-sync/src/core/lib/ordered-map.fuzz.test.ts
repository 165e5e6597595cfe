import fc from "fast-check";
import { expect, test } from "vitest";
import { OrderedMap } from "./ordered-map.ts";

interface Entry {
  readonly key: number;
  readonly tag: number;
}
const compare = (a: Entry, b: Entry) => a.key - b.key;
const key = fc.integer({ min: 0, max: 400 });
const step = fc.oneof(
  fc.record({ type: fc.constant("set" as const), key, tag: fc.nat(9) }),
  fc.record({ type: fc.constant("delete" as const), key }),
  // Runs fill and empty chunks, so that they split, merge and vanish.
  fc.record({ type: fc.constant("fill" as const), from: key, count: fc.nat(300) }),
  fc.record({ type: fc.constant("clear" as const), from: key, count: fc.nat(300) }),
);

test("an ordered map behaves as a sorted array", () => {
  const property = fc.property(fc.array(key), fc.array(step, { maxLength: 30 }), (loaded, steps) => {
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
    for (const s of steps) {
      if (s.type === "set") set({ key: s.key, tag: s.tag });
      else if (s.type === "delete") remove(s.key);
      else for (let k = s.from; k < s.from + s.count; k++) s.type === "fill" ? set({ key: k, tag: 0 }) : remove(k);
      expectSame(map, [...model.values()].sort(compare), s.type === "fill" || s.type === "clear" ? s.from : s.key);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

function expectSame(map: OrderedMap<Entry>, sorted: readonly Entry[], near: number): void {
  expect(map.size).toBe(sorted.length);
  expect(map.slice()).toEqual(sorted);
  expect(map.last).toBe(sorted.at(-1));
  const target = { key: near, tag: 0 };
  const position = sorted.findIndex((entry) => entry.key >= near);
  expect(map.get(target)).toBe(sorted.find((entry) => entry.key === near));
  expect(map.position(target)).toBe(position === -1 ? sorted.length : position);
  expect(map.at(near)).toBe(sorted[near]);
  expect([...map.from((entry) => entry.key - near)]).toEqual(sorted.filter((entry) => entry.key >= near));
  expect(map.slice(near, near + 5)).toEqual(sorted.slice(near, near + 5));
}
