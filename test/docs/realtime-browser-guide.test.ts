// The code that the guide shows is a program that the compiler checks. Its sockets are used for real in test/e2e.

import { expect, test } from "vitest";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

test("the guide shows the program's code, and all of it", () => {
  expect(blocksOf("realtime-browser.md")).toEqual(regionsOf("realtime-browser-examples.ts"));
});
