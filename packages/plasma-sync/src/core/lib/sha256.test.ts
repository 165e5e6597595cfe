import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "./sha256.ts";

test("digests equal those of the platform, for every message that fits one block", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 55 }), (message) => {
      expect(Buffer.from(sha256(message)).toString("hex")).toBe(createHash("sha256").update(message).digest("hex"));
    }),
    { numRuns: 500 },
  );
});

test("a longer message is refused", () => {
  expect(() => sha256(new Uint8Array(56))).toThrow("fits one block");
});
