// Hostile requests about files, from a seed.

import { expect, test } from "vitest";
import { batchOnly, memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { BlobFuzz } from "./blob-fuzz.fixture.ts";

test.each([
  { engine: "SQLite", seed: 20_261_127, steps: 1500, open: memoryDatabase },
  { engine: "an engine that has batches only", seed: 7, steps: 700, open: () => batchOnly(memoryDatabase()) },
])(
  "$steps steps on $engine: files go to those who may read them, and are used by those who may",
  { timeout: 240_000 },
  async ({ seed, steps, open }) => {
    const fuzz = new BlobFuzz(seed, open());
    for (let i = 0; i < steps; i++) await fuzz.step();
    await fuzz.end();
    expect([...fuzz.counts.keys()]).toEqual(
      expect.arrayContaining([
        "put nothing 204",
        "put cut 408",
        "put other hash 400",
        "GET 200",
        "GET 206",
        "GET 304",
        "GET 404",
        "GET 416",
        "HEAD 200",
        "push applied",
        "push blob/refused",
        "collected",
      ]),
    );
  },
);
