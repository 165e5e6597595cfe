// Hostile requests, from a seed. `npm run soak` sends more of them.

import { expect, test } from "vitest";
import { HttpFuzz } from "./http-fuzz.fixture.ts";

const SEED = 20_261_127;

test.each([
  { engine: "SQLite", requests: 4000, batchOnly: false },
  { engine: "an engine that has batches only", requests: 1000, batchOnly: true },
])(
  "$requests hostile requests to $engine get documented answers, no secret, and change nothing where they are refused",
  { timeout: 240_000 },
  async ({ requests, batchOnly }) => {
    const fuzz = await HttpFuzz.start(SEED, { batchOnly });
    for (let sent = 0; sent < requests; sent += 10) {
      for (let i = 0; i < 6; i++) await fuzz.step();
      await fuzz.burst(4);
    }
    await fuzz.end();
    // Requests that all fail at the door would find nothing.
    expect([...fuzz.counts.keys()]).toEqual(
      expect.arrayContaining([
        "200 push",
        "200 pull",
        "200 pull from the start",
        "400 auth/client-mismatch",
        "400 pull/cookie",
        "409 push/gap",
        "413 limit/payload",
        "result applied",
        "result duplicate",
        "result mutation/app",
      ]),
    );
  },
);
