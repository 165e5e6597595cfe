// The code that the guide shows is the program that realtime-guide.workerd.test.ts runs.

import { expect, test } from "vitest";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

test("the server's guide shows its program, region by region", () => {
  expect(blocksOf("realtime.md")).toEqual(regionsOf("realtime-examples.ts"));
});
