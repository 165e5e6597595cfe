// Owns: what a poke, with a patch and without, makes the sync loop do.

import { expect, test } from "vitest";
import type { PokePatch } from "../../core/protocol/realtime.ts";
import { PlasmaError } from "../../core/error.ts";
import { applied, createTestLoop, page, refusal, type TestLoop } from "./sync-loop.fixture.ts";

/** A loop whose replica is at cookie k1. */
async function startedLoop(): Promise<TestLoop> {
  const t = createTestLoop();
  t.loop.start();
  await t.env.advance(0);
  t.news();
  t.replica.told.length = 0;
  return t;
}

const patchFrom = (from: string, cookie: string): { readonly patch: PokePatch } => ({
  patch: { from, cookie, patch: [], lastMutationIDs: {} },
});

/** A pull whose answer the test gives. */
function heldPull(t: TestLoop): (answer: Response) => void {
  let open: (answer: Response) => void = () => undefined;
  t.answer(applied, () => new Promise<Response>((resolve) => (open = resolve)));
  return (answer) => open(answer);
}

test("a patch that begins at the replica's cookie is taken without a pull, and so is the one after it", async () => {
  const t = await startedLoop();
  t.statuses.length = 0;
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  t.loop.poke(patchFrom("k2", "k3"));
  await t.env.advance(0);
  expect(t.statuses, "no request is under way").toEqual([]);
  expect(t.replica.told).toEqual(["pulled k2", "pulled k3"]);
  expect(t.news()).toEqual([]);
  await t.env.advance(5000);
  expect(t.news(), "polling goes on").toEqual(["pull@5000"]);
  expect(t.received.at(-1)?.cookie).toBe("k3");
});

test("a patch that begins elsewhere is a plain poke; one that ends where the replica is says nothing new", async () => {
  const t = await startedLoop();
  t.loop.poke(patchFrom("k0", "k1"));
  await t.env.advance(0);
  expect(t.news()).toEqual([]);
  t.loop.poke(patchFrom("k0", "k2"));
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);
  expect(t.replica.told).toEqual(["pulled k1"]);
});

test("no patch is taken in the middle of a catch-up", async () => {
  const t = await startedLoop();
  t.replica.inCatchUp = true;
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);
  expect(t.replica.told).toEqual(["pulled k1"]);
});

test("a patch that comes during a pull is not taken: another pull follows", async () => {
  const t = await startedLoop();
  const open = heldPull(t);
  t.loop.poke();
  await t.env.advance(0);
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  expect([t.news(), t.replica.told]).toEqual([["pull@0"], []]);
  t.answer(applied, () => page("k2"));
  open(page("k1"));
  await t.env.advance(0);
  expect([t.news(), t.replica.told]).toEqual([["pull@0"], ["pulled k1", "pulled k2"]]);
});

test("a poke that comes while a patch is being written is followed by a pull", async () => {
  const t = await startedLoop();
  let written: () => void = () => undefined;
  t.replica.disk = new Promise((resolve) => (written = resolve));
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  t.loop.poke(patchFrom("k2", "k3"));
  t.loop.poke();
  await t.env.advance(0);
  expect([t.news(), t.replica.told]).toEqual([[], ["pulled k2"]]);
  t.answer(applied, () => page("k3"));
  t.replica.disk = Promise.resolve();
  written();
  await t.env.advance(0);
  expect([t.news(), t.replica.told]).toEqual([["pull@0"], ["pulled k2", "pulled k3"]]);
});

test("a patch is taken while a push is under way, and the push is still followed by a pull", async () => {
  const t = await startedLoop();
  let answer: (response: Response) => void = () => undefined;
  t.answer(() => new Promise<Response>((resolve) => (answer = resolve)));
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(0);
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  expect([t.news(), t.replica.told]).toEqual([["push@0"], ["pulled k2"]]);
  answer(applied({ ids: [1] }));
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);
});

test("a storm of pokes is one pull, and one more for those that came during it", async () => {
  const t = await startedLoop();
  const open = heldPull(t);
  for (let i = 0; i < 1000; i += 1) t.loop.poke();
  await t.env.advance(0);
  for (let i = 0; i < 1000; i += 1) t.loop.poke(i % 2 === 0 ? undefined : patchFrom(`k${i}`, `k${i + 1}`));
  t.answer(applied, () => page("k2"));
  open(page("k1"));
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0", "pull@0"]);
});

test.each([
  ["a patch that is no list", { from: "k1", cookie: "k2", patch: "x", lastMutationIDs: {} }],
  ["an op that does not exist", { from: "k1", cookie: "k2", patch: [{ op: "move" }], lastMutationIDs: {} }],
  ["ids that are no numbers", { from: "k1", cookie: "k2", patch: [], lastMutationIDs: { c1: "many" } }],
])("%s is no patch: a pull follows, and nobody is told", async (_what, patch) => {
  const t = await startedLoop();
  t.answer(applied, () => page("k2"));
  t.loop.poke({ patch: patch as unknown as PokePatch });
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);
  expect(t.replica.told).toEqual(["abandonPull", "pulled k2"]);
  expect([t.errors, t.stopped]).toEqual([[], []]);
});

test("rows that do not fit the schema are no patch: a pull follows, and nobody is told", async () => {
  const t = await startedLoop();
  t.replica.failure = new PlasmaError("protocol/field", { path: "lists.name", expected: "a text" });
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);
  expect([t.errors, t.stopped]).toEqual([[], []]);
});

test("a patch that does not fit, pull after pull refused, is no loop: the pulls wait as they always do", async () => {
  const t = await startedLoop();
  t.answer(applied, () => refusal(503));
  t.replica.failure = new PlasmaError("protocol/field", { path: "lists.name", expected: "a text" });
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  for (let i = 0; i < 100; i += 1) t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);
});

test("offline and stopped, a patch only says that a pull is wanted", async () => {
  const t = await startedLoop();
  t.loop.setOnline(false);
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  t.loop.stop();
  t.loop.poke(patchFrom("k1", "k2"));
  await t.env.advance(0);
  expect([t.news(), t.replica.told]).toEqual([[], []]);
});

test("a socket's word on the login shows beside that of the requests", async () => {
  const t = await startedLoop();
  t.statuses.length = 0;
  t.loop.setSocketAuth("required");
  t.loop.poke();
  await t.env.advance(0);
  expect(t.statuses.map(({ auth }) => auth)).toEqual(["required", "required", "required"]);
  t.loop.setSocketAuth("ok");
  await t.env.advance(0);
  expect(t.statuses.at(-1)).toMatchObject({ auth: "ok", syncing: false });
});

test("when the socket is let in again, requests that rest since their login was refused are tried at once", async () => {
  const t = await startedLoop();
  t.answer(applied, () => refusal(401, "auth/unauthorized"));
  t.loop.setSocketAuth("required");
  t.loop.poke();
  await t.env.advance(1000);
  t.loop.poke();
  await t.env.advance(1000);
  t.answer(applied, () => page("k2"));
  t.loop.setSocketAuth("ok");
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0", "pull@2000"]);
  expect(t.statuses.at(-1)).toMatchObject({ auth: "ok", syncing: false });
});

test("a push that rests goes on when a socket opens, long before the poll; a poke does not wake it", async () => {
  const t = await startedLoop();
  t.answer(() => refusal(413, "limit/payload"));
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(0);
  t.answer(applied);
  t.loop.poke();
  await t.env.advance(0);
  expect(t.news()).toEqual(["push@0", "pull@0"]);
  t.loop.connected();
  await t.env.advance(0);
  expect(t.news()).toEqual(["push@0", "pull@0"]);
  expect(t.replica.outboxIDs).toEqual([]);
});
