// A world of two people and three tabs under faults: everyone's work arrives once, and the same seed gives the same run.

import { expect, test } from "vitest";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import { id, text } from "../core/schema/column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import type { SimEngine } from "./sim-database-node.ts";
import { calm } from "./sim-network.ts";
import { SimWorld, type SimClientApp } from "./sim-world.ts";

interface Ctx {
  readonly userId: string;
}
const notes = table("notes", { id: id(), owner: text(), body: text() });
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args, ctx, newId }: MutatorInput<typeof schema, Ctx, { body: string }>) => {
    await db.insert(notes).values({ id: newId(), owner: ctx.userId, body: args.body });
  },
});

const WRITES = 12;

async function run(seed: number, engine: SimEngine) {
  const log: string[] = [];
  const userOf = (request: Request) => request.headers.get("x-user") ?? "";
  const world = new SimWorld({
    seed,
    engine,
    server: {
      schema,
      mutators,
      schemaVersion: "1",
      auth: (request) => ({ ok: true, clientGroupID: userOf(request), ctx: { userId: userOf(request) } as never }),
    },
    onNote: (what, who) => void log.push(`${who}: ${what}`),
  });
  const appOf = (userId: string): SimClientApp => ({
    schema,
    mutators,
    schemaVersion: "1",
    getContext: () => ({ userId }),
    pollIntervalMs: 1000,
  });
  const [ada, grace] = [world.addDevice("ada"), world.addDevice("grace")];
  const tabs = [ada, ada, grace].map((device) => world.openTab(device, appOf(device.user)));
  await world.clock.advance(100);
  world.network.faults = {
    ...calm,
    delayMsMax: 100,
    lostRequest: 0.1,
    lostAnswer: 0.1,
    duplicate: 0.1,
    badGateway: 0.05,
  };
  world.server.faults = { statementMsMax: 2, failure: 0.01, death: 0.002 };
  for (let i = 0; i < WRITES; i++) {
    const { mutate } = world.random.pick(tabs).client as unknown as { mutate: { add(args: object): Promise<unknown> } };
    void mutate.add({ body: `note ${i}` });
    await world.clock.advance(world.random.int(0, 400));
    if (world.server.running === null) world.server.start();
  }
  await world.calmDown(60_000);
  const held = await Promise.all(tabs.map(({ client }) => client.db.select().from(notes).orderBy(notes.body)));
  return { log, held, server: await world.server.db.select().from(notes).orderBy(notes.body) };
}

test.each(["sqlite", "d1"] as const)(
  "on %s all tabs and the server end with the same rows, each once",
  async (engine) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { held, server } = await run(seed, engine);
      expect(server.map(({ body }) => body)).toEqual(Array.from({ length: WRITES }, (_, i) => `note ${i}`).sort());
      for (const rows of held) expect(rows).toEqual(server);
    }
  },
);

test("equal seeds give equal runs, different ones do not", async () => {
  const [one, again, other] = [await run(7, "sqlite"), await run(7, "sqlite"), await run(8, "sqlite")];
  expect(again).toEqual(one);
  expect(other.log).not.toEqual(one.log);
});
