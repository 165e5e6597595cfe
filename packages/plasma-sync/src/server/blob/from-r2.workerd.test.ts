import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { blobStoreSuite, bytesOf, keyOf, streamOfBytes } from "./blob-store.suite.ts";
import { fromR2 } from "./from-r2.ts";

blobStoreSuite("R2", async () => {
  await reset();
  return { store: fromR2(env.FILES) };
});

test("stores beside each other in one bucket, and beside other objects, by their prefixes", async () => {
  await reset();
  await env.FILES.put("other", "of the app");
  const one = fromR2(env.FILES, { prefix: "one/" });
  const two = fromR2(env.FILES, { prefix: "two/" });
  const bytes = bytesOf(10);
  const key = keyOf(bytes);
  await one.put(key, streamOfBytes(bytes), 10);
  expect(await two.head(key)).toBeNull();
  expect(await two.list()).toEqual({ keys: [], cursor: null });
  expect(await one.list()).toEqual({ keys: [key], cursor: null });
  await two.delete([key]);
  expect(await one.head(key)).toEqual({ sizeBytes: 10 });
});
