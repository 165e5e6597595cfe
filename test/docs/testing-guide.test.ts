// The testing guide shows tests that run: those of the example apps, and one in workerd.

import { expect, test } from "vitest";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

test("the guide shows the example apps' own tests, region by region", () => {
  const programs = [
    "../../examples/todo/test/open-world.ts",
    "../../examples/todo/test/mutators.test.ts",
    "../../examples/todo/test/permissions.test.ts",
    "../../examples/todo/test/faults.test.ts",
    "../../examples/offline-notes/test/world.test.ts",
    "../../examples/todo/test/real-parts.ts",
    "../../examples/todo/test/indexeddb.test.ts",
    "../../test/docs/testing-guide.workerd.test.ts",
  ];
  expect(blocksOf("testing.md")).toEqual(programs.flatMap((program) => regionsOf(program)));
});
