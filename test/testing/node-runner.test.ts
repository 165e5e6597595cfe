// The kit needs no runner of its own: it works under `node --test`, and its process ends by itself.

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("under node --test one test passes, and one fails saying what happened instead", () => {
  const file = new URL("./node-runner.fixture.ts", import.meta.url).pathname;
  const { status, stdout } = spawnSync(process.execPath, ["--test", "--test-reporter=tap", file], {
    encoding: "utf8",
    timeout: 50_000,
  });
  expect(stdout).toContain("ok 1 - a rule holds");
  expect(stdout).toContain("not ok 2 - a rule that is missing is found");
  expect(stdout).toContain(
    `Expected the server to refuse grace's add({"id":"3","owner":"grace"}), but it applied it. [test/not-denied]`,
  );
  expect([status, stdout.includes("# pass 1")]).toEqual([1, true]);
});
