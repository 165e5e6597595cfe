// What the kit promises to tests: time that passes by itself, clients that live as in browsers, failures that say what happened.

import assert from "node:assert/strict";
import { afterEach, describe, expect, test } from "vitest";
import { eq } from "../core/query/expressions.ts";
import { boolean, id, text } from "../core/schema/column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import { expectApplied, expectDenied } from "./expect-outcome.ts";
import { expectNeverTold, expectNotVisible, expectVisible } from "./expect-rows.ts";
import { forEachSeed } from "./for-each-seed.ts";
import { mutators, notes, schema } from "./test-app.fixture.ts";
import { createTestWorld, type TestWorld, type TestWorldOptions } from "./test-world.ts";

type App = TestWorldOptions<typeof schema, typeof mutators>;
let opened: TestWorld<typeof schema, typeof mutators>[] = [];
afterEach(async () => {
  await Promise.all(opened.map((world) => world.close()));
  opened = [];
});

function open(options: Partial<App> = {}) {
  const world = createTestWorld({ schema, mutators, ...options });
  opened.push(world);
  return world;
}

const bodies = (rows: readonly { readonly body: string }[]) => rows.map(({ body }) => body).sort();

describe("time", () => {
  test("passes while a promise of the world is awaited, and stands still otherwise", async () => {
    const world = open();
    const ada = await world.client("ada");
    const before = world.now;
    const mutation = ada.mutate.add({ id: "1", body: "a" });
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(world.now).toBe(before);
    await mutation.server;
    expect(world.now).toBeGreaterThan(before);
    expect(world.now - before).toBeLessThan(200);
  });

  test("passes as far as the test says, with all that happens in it", async () => {
    const world = open();
    const [ada, phone] = [await world.client("ada"), await world.client("ada")];
    void ada.mutate.add({ id: "1", body: "a" });
    const before = world.now;
    await world.advance(6000);
    expect(world.now).toBe(before + 6000);
    // The phone has polled.
    expect(await phone.db.select().from(notes)).toHaveLength(1);
  });

  test("jumps without anything happening in between", async () => {
    const world = open();
    const ada = await world.client("ada");
    let requests = 0;
    world.network.setFaults({});
    const pulls = ada.status.subscribe(() => (requests += 1));
    world.jumpTo(new Date("2036-01-01"));
    expect([world.now, requests]).toEqual([Date.UTC(2036, 0, 1), 0]);
    pulls();
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    expect(() => world.jumpTo(0)).toThrow("it is 2036-01-01T00:00:00");
  });

  test("is held when the test says so, and moves in advance alone", async () => {
    const world = open();
    const ada = await world.client("ada");
    world.holdTime();
    const sent = ada.mutate.add({ id: "1", body: "a" }).server.then(() => "applied");
    const before = world.now;
    await world.advance(10);
    expect(world.now).toBe(before + 10);
    await world.advance(1000);
    expect(await sent).toBe("applied");
    await expect(ada.mutate.add({ id: "2", body: "b" })).rejects.toThrow("Time is held");
    world.releaseTime();
    await expectVisible(ada, notes, ["1", "2"]);
  });

  test("stands still while the app's auth waits for something real", async () => {
    const world = open({
      auth: async (request) => {
        for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);
        const userId = request.headers.get("x-user") ?? "";
        return { ok: true, clientGroupID: userId, ctx: { userId } };
      },
    });
    const before = world.now;
    await world.client("ada");
    expect(world.now - before).toBeLessThan(200);
  });

  test("stands still while a hook of the app waits for something real, and the hook is called once", async () => {
    const mails: string[] = [];
    const world = open({
      server: {
        onMutation: async ({ name, status }) => {
          for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);
          mails.push(`${name} ${status}`);
        },
      },
    });
    const ada = await world.client("ada");
    const before = world.now;
    world.network.loseAnswer({ of: "push" });
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    expect(mails).toEqual(["add applied"]);
    expect(world.now - before).toBeLessThan(3000);
  });

  test("what never ends fails, and says what is pending", async () => {
    const world = open();
    const ada = await world.client("ada");
    ada.goOffline();
    const sent = ada.mutate.add({ id: "1", body: "a" });
    await sent;
    await expect(sent.server).rejects.toThrow(
      /the server's word on ada's add\(\{"id":"1","body":"a"\}\) has not ended.*\n  ada \(tab 1\): offline; 1 pending; undecided: add/,
    );
    await expect(world.until(() => false, "the moon")).rejects.toThrow("the moon has not ended");
  });
});

describe.each(["sqlite", "d1"] as const)("clients on %s", (engine) => {
  test("offline work is kept over a reload, and arrives", async () => {
    const world = open({ engine });
    const [ada, phone] = [await world.client("ada"), await world.client("ada")];
    ada.goOffline();
    await ada.mutate.add({ id: "1", body: "a" });
    await ada.reload();
    expect(bodies(await ada.db.select().from(notes))).toEqual(["a"]);
    await expectNotVisible(phone, notes);
    ada.goOnline();
    await expectVisible(phone, notes, [{ body: "a" }]);
  });

  test("a lost answer, a dead server and a crashed tab cost nothing and double nothing", async () => {
    const world = open({ engine });
    const ada = await world.client("ada");
    world.network.loseAnswer({ of: "push", from: ada });
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    const saved = ada.mutate.add({ id: "2", body: "b" });
    world.server.kill();
    await saved;
    await expect(world.settle()).rejects.toThrow("no server runs");
    ada.crash();
    expect(() => ada.mutate.add({ id: "3", body: "c" })).toThrow("reload() opens it again");
    world.server.start();
    await ada.reload();
    await world.settle();
    expect(bodies(await world.db.select().from(notes))).toEqual(["a", "b"]);
  });

  test("two tabs show each other's work, also offline; a frozen leader is no obstacle", async () => {
    const world = open({ engine });
    const tab = await world.client("ada");
    const other = await tab.openTab();
    expect([tab.status.get().role, other.status.get().role]).toEqual(["leader", "follower"]);
    tab.goOffline();
    await other.mutate.add({ id: "1", body: "a" });
    await world.until(async () => (await tab.db.select().from(notes)).length === 1);
    tab.goOnline();
    await world.settle();
    tab.freeze();
    await world.advance(30_000);
    tab.resume();
    await expectVisible(tab, notes, ["1"]);
  });

  test("the server's own db sees and writes everything", async () => {
    const world = open({ engine });
    await world.db.insert(notes).values({ id: "1", owner: "grace", body: "g" });
    const [ada, grace] = [await world.client("ada"), await world.client("grace")];
    void grace.mutate.edit({ id: "1", body: "gg" });
    // A push is under way: reading waits for it, and does not wait for ever.
    expect(await world.db.select().from(notes)).toHaveLength(1);
    await expectVisible(grace, notes, [{ id: "1", body: "gg" }]);
    await expectNotVisible(ada, notes);
    await world.db.update(notes).set({ shared: true }).where(eq(notes.id, "1"));
    await expectVisible(ada, notes, ["1"]);
  });
});

test("after a restored backup clients have what the server has, and what it never got", async () => {
  const world = open();
  const [ada, phone] = [await world.client("ada"), await world.client("ada")];
  await expectApplied(ada.mutate.add({ id: "1", body: "before" }));
  const backup = await world.server.backup();
  await expectApplied(ada.mutate.add({ id: "2", body: "lost" }));
  await world.settle();
  phone.goOffline();
  await phone.mutate.add({ id: "3", body: "offline" });
  world.server.restore(backup);
  phone.goOnline();
  await expectVisible(phone, notes, ["1", "3"]);
  await expectNotVisible(ada, notes, ["2"]);
  expect(bodies(await world.db.select().from(notes))).toEqual(["before", "offline"]);
});

test("a live query is delivered to while time passes, once per change, and the server's word changes nothing", async () => {
  const world = open();
  const ada = await world.client("ada");
  const live = ada.db.select({ body: notes.body }).from(notes).live();
  const seen: string[][] = [];
  live.subscribe((rows) => void seen.push(bodies(rows)));
  await live.whenReady();
  await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
  await world.settle();
  expect(seen).toEqual([[], ["a"]]);
});

test("the trace tells who did what when", async () => {
  const world = open();
  const ada = await world.client("ada");
  world.network.loseAnswer({ of: "push" });
  await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
  await expect(expectApplied(ada.mutate.add({ id: "2", body: "a" }))).rejects.toThrow("Another row");
  await expectDenied(() => ada.forge.remove({ id: "1", onServer: true }));
  const told = world.trace().replace(/^ +/gm, "");
  for (const line of [
    /^0\.\d+ s +tab 1 +tab: opened$/m,
    /^0\.\d+ s +ada +pull → 200 \[clear\]$/m,
    /^0\.\d+ s +ada \(tab 1\) +add\(\{"id":"1","body":"a"\}\)$/m,
    /^0\.\d+ s +ada +push \[add #1\] → 200 \[applied\]\n.*ada \(tab 1\) +network: answer lost$/m,
    /^\d\.\d+ s +ada +push \[add #1\] → 200 \[duplicate\]$/m,
    /^\d\.\d+ s +ada \(tab 1\) +forges remove/m,
  ])
    expect(told).toMatch(line);
});

test("a page that a reload brings to a new version syncs with a server that serves both", async () => {
  const renamed = table("notes", {
    id: id(),
    owner: text(),
    body: text(),
    shared: boolean().default(false),
    mood: text().default("fine"),
  });
  const newSchema = defineSchema({ notes: renamed });
  const world = open();
  const [ada, old] = [await world.client("ada"), await world.client("ada")];
  ada.goOffline();
  await ada.mutate.add({ id: "1", body: "a" });
  await world.server.migrate(newSchema);
  world.server.restart({ schema: newSchema, schemaVersion: "2", acceptSchemaVersions: { "1": schema } });
  await ada.reload({ schema: newSchema, schemaVersion: "2" });
  ada.goOnline();
  await world.settle();
  expect(await ada.db.select().from(renamed)).toMatchObject([{ id: "1", mood: "fine" }]);
  await expectVisible(old, notes, ["1"]);
});

test("a client opens while no server runs, and syncs when there is one", async () => {
  const world = open();
  world.server.kill();
  const ada = await world.client("ada");
  await ada.mutate.add({ id: "1", body: "a" });
  expect(bodies(await ada.db.select().from(notes))).toEqual(["a"]);
  world.server.start();
  await expectVisible(await world.client("ada"), notes, ["1"]);
  ada.crash();
  expect(() => ada.db).toThrow("reload() opens it again");
});

describe("denials", () => {
  test("a rule that refuses is a denial, and the view is as before", async () => {
    const world = open();
    const [ada, grace] = [await world.client("ada"), await world.client("grace")];
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    await expectApplied(ada.mutate.share({ id: "1" }));
    await world.settle();
    const refusal = await expectDenied(() => grace.mutate.edit({ id: "1", body: "g" }), "auth/denied");
    expect(refusal.code).toBe("auth/denied");
    await expectVisible(grace, notes, [{ id: "1", body: "a" }]);
    expect(grace.errors).toMatchObject([{ kind: "mutation-rejected", code: "auth/denied" }]);
  });

  test("what only the browser refuses is no denial", async () => {
    const world = open();
    const ada = await world.client("ada");
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    await expect(expectDenied(() => ada.mutate.remove({ id: "1", onServer: false }))).rejects.toThrow(
      /Expected the server to refuse ada's remove\(.*\), but it applied it\. The browser's own run refuses it/,
    );
    await expectNotVisible(ada, notes, ["1"]);
    await expectDenied(() => ada.mutate.remove({ id: "1", onServer: true }), "mutation/app");
    await expectDenied(() => ada.forge.remove({ id: "1", onServer: true }));
  });

  test("a refusal for another reason passes only by its name", async () => {
    const world = open();
    const [ada, phone] = [await world.client("ada"), await world.client("ada")];
    phone.goOffline();
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    const attempt = phone.mutate.add({ id: "2", body: "a" });
    await attempt;
    phone.goOnline();
    await expect(expectDenied(attempt)).rejects.toThrow(
      'If that is meant, say so: expectDenied(…, "constraint/unique")',
    );
    await expectDenied(attempt, "constraint/unique");
    await expect(expectApplied(attempt)).rejects.toThrow("but the server refused it with constraint/unique");
  });

  test("what the server has told once stays told", async () => {
    const world = open();
    const [ada, sue] = [await world.client("ada"), await world.client("sue")];
    await expectApplied(ada.mutate.add({ id: "1", body: 'a "secret"' }));
    await expectNeverTold(sue, "1-secret", 'a "secret"');
    await expectApplied(ada.mutate.share({ id: "1" }));
    await expect(expectNeverTold(sue, "nothing", 'a "secret"')).rejects.toThrow(/has told sue of "a .*secret/);
  });

  test("failures show what is there", async () => {
    const world = open();
    const ada = await world.client("ada");
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    await expect(expectVisible(ada, notes, [{ body: "b" }])).rejects.toThrow(
      'Expected ada to see in "notes": {"body":"b"}. ada sees 1: {"id":"1","owner":"ada","body":"a","shared":false}',
    );
    await expect(expectNotVisible(ada, notes)).rejects.toThrow('Expected ada not to see in "notes": {"id":"1"');
    await expect(expectDenied(ada.mutate.share({ id: "1" }))).rejects.toThrow("but it applied it");
    await assert.rejects(expectDenied(ada.mutate.share({ id: "1" })), { code: "test/not-denied" });
  });
});

describe("users", () => {
  test("a new ctx shows other rows, on every device of the user", async () => {
    const world = open();
    const [ada, sue] = [await world.client("ada"), await world.client("sue")];
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    await expectNotVisible(sue, notes);
    sue.setContext({ userId: "sue", isAdmin: true });
    await expectVisible(sue, notes, ["1"]);
  });

  test("the app's own auth is asked, with the headers that the test gives", async () => {
    const world = open({
      auth: (request) => {
        const userId = /^Bearer token-of-(\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
        if (userId === undefined) return { ok: false, reason: "No session." };
        return { ok: true, clientGroupID: userId, ctx: { userId } };
      },
      headers: (user) => ({ authorization: `Bearer token-of-${user}` }),
    });
    const ada = await world.client("ada");
    const stranger = await world.client("grace", { headers: {} });
    await expectApplied(ada.mutate.add({ id: "1", body: "a" }));
    expect(stranger.status.get().auth).toBe("required");
    await expectDenied(() =>
      ada.forge.edit({ id: "1", body: "" }).then(() => ada.forge.remove({ id: "1", onServer: true })),
    );
    expect((await world.server.request("/sync/pull")).status).toBe(401);
  });
});

describe("seeds", () => {
  const run = async (seed: number) => {
    const world = open({ seed });
    const clients = [await world.client("ada"), await world.client("ada")] as const;
    world.network.setFaults({ lostRequest: 0.2, lostAnswer: 0.2, duplicate: 0.2, delayMsMax: 300 });
    for (let i = 0; i < 6; i++) await world.random.pick(clients).mutate.add({ id: `${i}`, body: `${i}` });
    world.network.calm();
    await world.settle();
    expect(await clients[0].db.select().from(notes)).toHaveLength(6);
    return world.now;
  };

  test("equal seeds give equal runs, and the one that fails is named", async () => {
    const [one, again, other] = [await run(3), await run(3), await run(4)];
    expect(again).toBe(one);
    expect(other).not.toBe(one);
    const ran: number[] = [];
    const failing = forEachSeed(5, (seed) => {
      ran.push(seed);
      if (seed === 3) expect(seed).toBe(4);
    });
    await expect(failing).rejects.toThrow(
      /^Seed 3 failed: expected 3 to be 4.*\nRun it alone: forEachSeed\(\{ only: 3 \}/,
    );
    expect(ran).toEqual([1, 2, 3]);
    await forEachSeed({ only: 7 }, (seed) => void ran.push(seed));
    expect(ran.at(-1)).toBe(7);
  });

  test("twenty seeds of faults keep every promise", () => forEachSeed(20, run));
});

test("what is awaited when the world closes fails", async () => {
  const world = open();
  const ada = await world.client("ada");
  ada.goOffline();
  const sent = ada.mutate.add({ id: "1", body: "a" }).server;
  const failed = expect(sent).rejects.toThrow("The world is closed");
  await world.close();
  await failed;
});
