import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase64, toBase64 } from "./base64.ts";
import { fromHex, toHex } from "./hex.ts";

test("base64 and hex are those of the platform, and come back", () => {
  const bytes = fc.uint8Array({ maxLength: 100 });
  fc.assert(
    fc.property(bytes, (value) => {
      expect(toBase64(value)).toBe(Buffer.from(value).toString("base64"));
      expect(toHex(value)).toBe(Buffer.from(value).toString("hex"));
      expect(fromBase64(toBase64(value))).toEqual(value);
      expect(fromHex(toHex(value))).toEqual(value);
    }),
  );
});

test("bytes of several chunks are whole", () => {
  const bytes = Uint8Array.from({ length: 0x8000 * 2 + 5 }, (_, i) => i % 251);
  expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
});

test("text that is not padded standard base64, or not hex in pairs, is null and never an exception", () => {
  for (const text of ["A", "AA", "AAA", "A===", "====", "AA=A", "-_-_", "AA==\n", " AAA", "AAAA=", "é==="]) {
    expect(fromBase64(text), text).toBeNull();
  }
  for (const text of ["0", "0g", "0x", " 0"]) expect(fromHex(text), text).toBeNull();
  fc.assert(
    fc.property(fc.string(), (text) => {
      fromBase64(text);
      fromHex(text);
    }),
  );
});
