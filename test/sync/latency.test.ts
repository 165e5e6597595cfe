import { expect, test } from "vitest";
import { createWorld, eventually } from "./world.fixture.ts";

test("a mutation is pushed as soon as it is durable, not at the next poll", async () => {
  const world = createWorld({ pollIntervalMs: 3_600_000 });
  const ada = world.client("ada");
  await eventually(() => expect(ada.status.get().firstSync.done).toBe(true));
  for (let i = 0; i < 5; i++) {
    await ada.mutate.add({ body: `n${i}` }).server;
    await eventually(() => expect(ada.status.get().outboxDepth).toBe(0));
  }
  expect(world.processed).toHaveLength(5);
  await world.close();
});
