// The half of the guide's code that is a Worker, with D1 and R2.

import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import worker from "../../docs/guides/files-worker-examples.ts";
import { photoRoundTrip } from "./photo-round-trip.ts";

test("on Workers a photo is taken in, given to its owner alone, and a collection leaves it", async () => {
  await env.DB.prepare("SELECT 1").all();
  await reset();
  await photoRoundTrip((path, init) => worker.fetch(new Request(`http://guide.test${path}`, init), env));
  expect(await worker.scheduled(null, env)).toEqual({ deleted: 0, deletedBytes: 0, hasMore: false });
});

test("in a Durable Object of its own a team has its photos in the same way", async () => {
  const stub = env.PHOTOS.get(env.PHOTOS.newUniqueId());
  await photoRoundTrip((path, init) => stub.fetch(new Request(`http://guide.test${path}`, init)));
});
