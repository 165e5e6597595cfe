// The code that the guide shows is the program that cloudflare-guide.workerd.test.ts runs.

import { expect, test } from "vitest";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

test("the guide shows its program, region by region", () => {
  expect(blocksOf("cloudflare.md")).toEqual(regionsOf("cloudflare-examples.ts"));
});
