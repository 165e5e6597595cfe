// Owns: that a socket may be cut at every boundary between its messages, and no change is missed: real clients, the real hub, on
// virtual time, with a poll so far away that only pokes and reconnects bring changes.

import { createWebSocketSubscription } from "plasma-sync/client";
import { defineMutators, defineSchema, id, table, text, type MutatorInput } from "plasma-sync/core";
import { expect, test } from "vitest";
import type { SocketConstructor } from "../../packages/plasma-sync/src/client/transport/socket-like.ts";
import { calm } from "../../packages/plasma-sync/src/testing/sim-network.ts";
import { SimWorld, type SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";

const notes = table("notes", { id: id(), body: text() });
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, unknown>()({
  add: async ({ db, args, newId }: MutatorInput<typeof schema, unknown, { body: string }>) => {
    await db.insert(notes).values({ id: newId(), body: args.body });
  },
});
const HOUR_MS = 3_600_000;
const WRITES = 6;
/** A dead connection is noticed within a ping and its answer (35 s), and replaced within the longest wait (3 s) and a handshake. */
const SETTLE_MS = 60_000;

/** Two people write in turn; before frame number `cutAt` of all frames, every connection is cut. */
async function run(seed: number, cutAt: number) {
  let frames = 0;
  let isCut = false;
  const userOf = (request: Request) => request.headers.get("x-user") ?? "";
  const world: SimWorld = new SimWorld({
    seed,
    engine: "sqlite",
    server: {
      schema,
      mutators,
      schemaVersion: "1",
      auth: (request) => ({ ok: true, clientGroupID: userOf(request), ctx: {} as never }),
    },
    onFrame: () => {
      frames += 1;
      if (frames !== cutAt) return;
      isCut = true;
      world.sockets.cut();
    },
  });
  world.network.faults = { ...calm, delayMsMax: 20 };
  const subscribeWith = (WebSocketImpl: SocketConstructor) =>
    createWebSocketSubscription({
      url: "ws://plasma.test/sync/coordinator",
      initialReconnectDelayMs: 100,
      maxReconnectDelayMs: 3000,
      WebSocketImpl,
    });
  const app = { schema, mutators, schemaVersion: "1", getContext: () => ({}), pollIntervalMs: HOUR_MS, subscribeWith };
  const tabs = ["ada", "grace"].map((user) => world.openTab(world.addDevice(user), app));
  await world.clock.advance(500);
  for (let i = 0; i < WRITES; i += 1) {
    const { client } = tabs[i % 2] as SimTab;
    void (client.mutate as unknown as { add(args: { body: string }): Promise<void> }).add({ body: `note ${i}` });
    await world.clock.advance(150);
  }
  await world.clock.advance(1000);
  const framesOfWork = frames;
  await world.clock.advance(SETTLE_MS);
  const held = await Promise.all(tabs.map(({ client }) => client.db.select().from(notes).orderBy(notes.body)));
  const connections = world.sockets.count;
  for (const tab of tabs) await world.close(tab);
  return { framesOfWork, isCut, connections, bodies: held.map((rows) => rows.map(({ body }) => body)) };
}

const expected = Array.from({ length: WRITES }, (_, i) => `note ${i}`);

test("cut before any message, nothing is missed", async () => {
  const calmRun = await run(1, Infinity);
  expect(calmRun.bodies).toEqual([expected, expected]);
  // Two hellos, pings and pongs, six pokes, the cookies of those who pull: enough boundaries to be worth cutting.
  expect(calmRun.framesOfWork).toBeGreaterThan(15);
  for (let cutAt = 1; cutAt <= calmRun.framesOfWork; cutAt += 1) {
    for (const seed of [1, 2, 3]) {
      const { isCut, bodies, connections } = await run(seed, cutAt);
      expect({ seed, cutAt, bodies }).toEqual({ seed, cutAt, bodies: [expected, expected] });
      if (isCut) expect({ seed, cutAt, connections }).toEqual({ seed, cutAt, connections: 2 });
    }
  }
});
