// The code that the guide shows is a program that the compiler checks; here its half for Node runs. The other half runs in
// files-server-guide.workerd.test.ts.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { start } from "../../docs/guides/files-node-examples.ts";
import { photoRoundTrip } from "./photo-round-trip.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

const folder = mkdtempSync(join(tmpdir(), "plasma-guide-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("the guide shows the code of its two programs", () => {
  const [rules, worker] = regionsOf("files-worker-examples.ts");
  expect(blocksOf("files-on-the-server.md")).toEqual([rules, worker, ...regionsOf("files-node-examples.ts")]);
});

test("on Node a photo is taken in, given to its owner alone, and a collection leaves it", async () => {
  const server = await start(new DatabaseSync(":memory:"), join(folder, "files"), 0);
  await photoRoundTrip((path, init) => fetch(`http://127.0.0.1:${server.port}${path}`, init));
  expect(await server.collect()).toEqual({ deleted: 0, deletedBytes: 0, hasMore: false });
  await server.close();
});
