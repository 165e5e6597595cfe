import fc from "fast-check";
import { expect, it } from "vitest";
import { compileLike } from "./like.ts";

const text = fc.string({ unit: fc.constantFrom("a", "A", "b", "\u{1f600}", "%", "_", "\\"), maxLength: 8 });

/** The meaning of a pattern by recursion: slow and obviously right. */
function matches(pattern: readonly string[], chars: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return chars.length === 0;
  if (head === "%") return matches(rest, chars) || (chars.length > 0 && matches(pattern, chars.slice(1)));
  if (chars.length === 0) return false;
  if (head === "_") return matches(rest, chars.slice(1));
  const isEscape = head === "\\" && rest.length > 0;
  const wanted = isEscape ? rest[0] : head;
  return (
    wanted?.replace("A", "a") === chars[0]?.replace("A", "a") &&
    matches(isEscape ? rest.slice(1) : rest, chars.slice(1))
  );
}

it("like means what its recursive definition says", () => {
  fc.assert(
    fc.property(text, text, (pattern, value) => {
      expect(compileLike(pattern)(value)).toBe(matches(Array.from(pattern), Array.from(value)));
    }),
    { numRuns: 5000 },
  );
});

it("a text between two runs is found as its recursive definition says", () => {
  // U+212A folds to "k" outside of ASCII; "ſ" to "s".
  const mixed = fc.string({ unit: fc.constantFrom("k", "K", "\u212a", "s", "ſ", ".", "[", "\u{1f600}"), maxLength: 6 });
  const fold = (value: string) => value.replaceAll("K", "k");
  fc.assert(
    fc.property(mixed, mixed, (part, value) => {
      expect(compileLike(`%${part}%`)(value)).toBe(fold(value).includes(fold(part)));
    }),
    { numRuns: 5000 },
  );
});

it("like with many runs stays within text × pattern steps", () => {
  // A matcher that tries every way to share the text among the runs would not come back.
  expect(compileLike("%a".repeat(24))(`${"a".repeat(20_000)}b`)).toBe(false);
});
