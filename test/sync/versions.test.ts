// Old and new clients with old and new servers, with and without pending mutations, in one tab or in two of different
// versions. Whatever the cell: nobody loops, no write is lost silently, and once both sides are new everybody converges.

import "fake-indexeddb/auto";
import { isPlasmaError } from "plasma-sync/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { notes1, notes2, VersionedWorld, type Deployment, type Version } from "./versions.fixture.ts";
import { eventually } from "./world.fixture.ts";

let world: VersionedWorld;
let device: string;
beforeEach(() => {
  world = new VersionedWorld();
  device = crypto.randomUUID();
});
afterEach(() => world.close());

type Client2 = ReturnType<VersionedWorld["open2"]>;
const rows2 = async (client: Client2) =>
  (await client.db.select().from(notes2).orderBy(notes2.body)).map(({ body, color, pinned }) => [body, color, pinned]);
const serverRows = async () =>
  (await world.db.select().from(notes2).orderBy(notes2.body)).map(({ body, color, pinned }) => [body, color, pinned]);
const isSynced = (client: { readonly status: Client2["status"] }) =>
  eventually(() =>
    expect(client.status.get()).toMatchObject({
      outboxDepth: 0,
      lastError: null,
      firstSync: { done: true },
      cookie: expect.any(String),
    }),
  );

/** A device of version 1 that has synced a row, and the version 2 columns of that row as only the server has them. */
async function seeded() {
  await world.deploy("1");
  const one = world.open1(device);
  await one.mutate.add({ body: "seed" });
  await isSynced(one);
  await world.deploy("2");
  await world.db.update(notes2).set({ color: "red", pinned: true }).all();
  world.applied.length = 0;
  world.isOnline = false;
  return one;
}

interface Cell {
  readonly client: Version;
  readonly server: Deployment;
  readonly pending: boolean;
  readonly tabs: 1 | 2;
}
const cells: Cell[] = (["1", "2"] as const).flatMap((client) =>
  (["1", "2", "2 for 1"] as const).flatMap((server) =>
    [false, true].flatMap((pending) => ([1, 2] as const).map((tabs) => ({ client, server, pending, tabs }))),
  ),
);

/** Whether the server serves a client of that version. */
const isServed = ({ client, server }: Cell) => client === server[0] || (client === "1" && server === "2 for 1");

describe.each(cells)("client $client, server $server, pending: $pending, tabs: $tabs", (cell) => {
  test("nobody loops, nothing is lost, all converge", async () => {
    const made: string[] = [];
    const add = async (client: { readonly mutate: { add(args: { body: string }): Promise<void> } }, body: string) => {
      if (!cell.pending) return;
      await client.mutate.add({ body });
      made.push(body);
    };
    let one = await seeded();
    await add(one, "p1");
    if (cell.tabs === 1) await one.close();
    let two = cell.client === "2" || cell.tabs === 2 ? world.open2(device) : null;
    if (two !== null) await add(two, "p2");
    if (cell.tabs === 2) await eventually(() => expect(world.mismatches("1")).toMatchObject([{ phase: "tab" }]));
    if (cell.client === "1") {
      // The version that opens last has the database, also when it is the older one.
      await one.close();
      one = world.open1(device);
      await add(one, "p3");
      if (cell.tabs === 2) await eventually(() => expect(world.mismatches("2")).toMatchObject([{ phase: "tab" }]));
    }
    await world.deploy(cell.server);
    world.requests.length = 0;
    world.isOnline = true;
    const current = cell.client === "1" ? one : (two as Client2);
    if (isServed(cell)) await isSynced(current);
    else {
      const expected = cell.server[0];
      await eventually(() =>
        expect(current.status.get().lastError).toMatchObject({ kind: "schema-mismatch", expected }),
      );
    }
    expect(await world.requestsBeyondPolls()).toBeLessThanOrEqual(8);
    const told = world
      .mismatches(cell.client)
      .filter((error) => error.kind === "schema-mismatch" && error.phase !== "tab");
    expect(told.length).toBe(isServed(cell) ? 0 : 1);
    const shown = current.db.select().from(cell.client === "1" ? notes1 : notes2);
    expect((await shown).map((row) => row.body).toSorted()).toEqual([...made, "seed"].toSorted());
    // Only the tab that has the database talks to the server.
    expect(world.requests.filter((request) => !request.startsWith(cell.client))).toEqual([]);

    await world.deploy("2");
    if (cell.client === "1") {
      await one.close();
      await two?.close();
      two = world.open2(device);
    }
    await isSynced(two as Client2);
    expect(world.applied.toSorted()).toEqual(made.toSorted());
    const rows = await serverRows();
    expect(rows.map(([body]) => body)).toEqual([...made, "seed"].toSorted());
    expect(rows.at(-1)).toEqual(["seed", "red", true]);
    expect(await rows2(two as Client2)).toEqual(rows);
    const other = world.open2(crypto.randomUUID());
    await isSynced(other);
    expect(await rows2(other)).toEqual(rows);
    expect(world.errors.filter(({ error }) => error.kind === "mutation-rejected")).toEqual([]);
    expect(await world.requestsBeyondPolls()).toBeLessThanOrEqual(8);
  });
});

test("until it has synced, a new version shows old rows with its defaults, and what is pending as its own mutators do it", async () => {
  const one = await seeded();
  await one.mutate.add({ body: "pending" });
  await one.close();
  const two = world.open2(device);
  expect(await rows2(two)).toEqual([
    ["pending", "blue", null],
    ["seed", "grey", null],
  ]);
  world.isOnline = true;
  await isSynced(two);
  expect(await rows2(two)).toEqual([
    ["pending", "blue", null],
    ["seed", "red", true],
  ]);
});

test.each(["2", "2 for 1"] as const)(
  "a pending mutation whose mutator is gone has no effect, and is refused and told once (server %s)",
  async (server) => {
    const one = await seeded();
    await one.mutate.shout({ body: "seed" });
    await one.mutate.add({ body: "after" });
    await one.close();
    const two = world.open2(device);
    expect((await rows2(two)).map(([body]) => body)).toEqual(["after", "seed"]);
    expect(await two.pending()).toMatchObject([{ name: "shout" }, { name: "add" }]);
    await world.deploy(server);
    world.isOnline = true;
    await eventually(() => expect(two.status.get().outboxDepth).toBe(0));
    await eventually(() =>
      expect(world.errors.filter(({ error }) => error.kind === "mutation-rejected")).toMatchObject([
        { version: "2", error: { name: "shout", code: "mutation/unknown" } },
      ]),
    );
    expect(world.applied).toEqual(["after"]);
    // A refused version costs one request, not one per mutation.
    expect(world.requests.filter((request) => request === "2 push 409")).toHaveLength(server === "2" ? 1 : 0);
  },
);

test("a client that is newer than the server waits, sends what the server takes, and goes on when it is deployed", async () => {
  const one = await seeded();
  await one.mutate.add({ body: "old" });
  await one.close();
  const two = world.open2(device);
  await two.mutate.add({ body: "new" });
  await world.deploy("1");
  world.isOnline = true;
  await eventually(() => expect(world.applied).toEqual(["old"]));
  await eventually(() => expect(two.status.get().lastError).toMatchObject({ kind: "schema-mismatch", expected: "1" }));
  await world.deploy("2");
  await isSynced(two);
  expect(world.applied).toEqual(["old", "new"]);
});

describe("onSchemaMismatch", () => {
  test('"stay" is asked once, keeps what is there usable, and opening again and again asks the server no more than a poll does', async () => {
    const one = await seeded();
    await one.mutate.add({ body: "kept" });
    await one.close();
    world.isOnline = true;
    let asked = 0;
    const onSchemaMismatch = () => ((asked += 1), "stay" as const);
    for (let opened = 1; opened <= 4; opened += 1) {
      world.requests.length = 0;
      const again = world.open1(device, { onSchemaMismatch });
      await eventually(() => expect(again.status.get().lastError?.kind).toBe("schema-mismatch"));
      expect(await world.requestsBeyondPolls(4)).toBeLessThanOrEqual(2);
      expect(asked).toBe(opened);
      expect((await again.db.select().from(notes1)).length).toBe(2);
      expect(await again.pending()).toHaveLength(1);
      await again.close();
    }
  });

  test("every tab shows what the server says to the one that syncs, and no longer when it is over; one of them is asked", async () => {
    const one = await seeded();
    let asked = 0;
    const other = world.open1(device, { onSchemaMismatch: () => ((asked += 1), "stay") });
    await other.db.select().from(notes1);
    world.isOnline = true;
    const both = [one, other];
    await eventually(() =>
      expect(both.map((tab) => tab.status.get().lastError)).toMatchObject([{ expected: "2" }, { expected: "2" }]),
    );
    expect(both.map((tab) => tab.status.get().role).toSorted()).toEqual(["follower", "leader"]);
    expect([asked, world.mismatches("1").length]).toEqual([0, 1]);
    await world.deploy("2 for 1");
    await eventually(() => expect(both.map((tab) => tab.status.get().lastError)).toEqual([null, null]));
  });

  test('"reset" tells what is lost first, wipes, takes a new identity, and does so once', async () => {
    const one = await seeded();
    await one.mutate.add({ body: "lost" });
    await one.close();
    world.isOnline = true;
    const told: unknown[] = [];
    const hooks = {
      onSchemaMismatch: () => "reset" as const,
      onReset: (pending: readonly { readonly args: unknown }[]) => void told.push(pending.map(({ args }) => args)),
    };
    const again = world.open1(device, hooks);
    const before = again.clientID;
    await eventually(() => expect(again.status.get().outboxDepth).toBe(0));
    await eventually(() => expect(again.clientID).not.toBe(before));
    expect(told).toEqual([[{ body: "lost" }]]);
    expect(await again.db.select().from(notes1)).toEqual([]);
    await again.mutate.add({ body: "kept" });
    expect(await world.requestsBeyondPolls()).toBeLessThanOrEqual(4);
    expect(told).toHaveLength(1);
    await again.close();
    const two = world.open2(device);
    await isSynced(two);
    expect(world.applied).toEqual(["kept"]);
  });

  test("a page that is reloaded after a reset has nothing to wipe: nobody resets in a circle", async () => {
    await (await seeded()).close();
    world.isOnline = true;
    let resets = 0;
    for (let opened = 0; opened < 3; opened += 1) {
      const again = world.open1(device, { onSchemaMismatch: () => "reset", onReset: () => void (resets += 1) });
      await eventually(() => expect(again.status.get().lastError?.kind).toBe("schema-mismatch"));
      await eventually(async () => expect(await again.db.select().from(notes1)).toEqual([]));
      await again.close();
    }
    expect(resets).toBe(1);
  });
});

test("`.server` of a mutation that a reset threw away says so", async () => {
  const one = await seeded();
  await one.close();
  const again = world.open1(device, { onSchemaMismatch: () => "reset" });
  const { server } = again.mutate.add({ body: "lost" });
  await eventually(async () => expect(await again.pending()).toHaveLength(1));
  world.isOnline = true;
  await expect(server).rejects.toSatisfy((error) => isPlasmaError(error, "client/reset"));
});
