import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CompareFamily, Value } from "../schema/value.ts";
import { compareText, compareValues } from "./compare.ts";

// Units around the surrogates, where the order of code points and that of UTF-16 part.
const character = fc.constantFrom("a", "B", "é", "\u{d7ff}", "\u{e000}", "\u{fffd}", "\u{10000}", "\u{1f600}");
const anyText = fc.oneof(fc.string({ unit: character, maxLength: 6 }), fc.string({ unit: "grapheme", maxLength: 6 }));

const valuesOf: Record<CompareFamily, fc.Arbitrary<Value>> = {
  text: anyText,
  number: fc.double({ noNaN: true }),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  boolean: fc.boolean(),
  blob: fc.uint8Array({ maxLength: 4 }),
};

describe("the order of values", () => {
  for (const [family, values] of Object.entries(valuesOf) as [CompareFamily, fc.Arbitrary<Value>][]) {
    const nullable = fc.option(values, { freq: 5 });

    it(`is total for ${family}: antisymmetric, transitive, null first`, () => {
      fc.assert(
        fc.property(nullable, nullable, nullable, (a, b, c) => {
          const compare = (x: Value, y: Value) => Math.sign(compareValues(family, x, y));
          expect(compare(a, a)).toBe(0);
          expect(compare(a, b) + compare(b, a)).toBe(0);
          if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
          if (a === null && b !== null) expect(compare(a, b)).toBe(-1);
        }),
        { numRuns: 2000 },
      );
    });
  }

  it("is that of the UTF-8 bytes for text, as in SQL", () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
      { numRuns: 3000 },
    );
  });
});
