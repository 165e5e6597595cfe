import fc from "fast-check";
import { expect, test } from "vitest";
import { isStorableText, utf8SizeBytes } from "./utf8.ts";

test("the size of well-formed text is that of its UTF-8", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(utf8SizeBytes(text)).toBe(new TextEncoder().encode(text).length);
    }),
  );
  expect(utf8SizeBytes("a é € 😀")).toBe(13);
});

test("text with a lone surrogate or U+0000 cannot be stored", () => {
  for (const text of ["\ud800", "\udc00a", "a\ud83d", "\0"]) expect(isStorableText(text)).toBe(false);
  for (const text of ["", "😀", "\u0001", "\uffff"]) expect(isStorableText(text)).toBe(true);
});
