import { expect, test } from "vitest";
import { PlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";
import { applied, createTestLoop, deposed, page, refusal, type TestLoop } from "./sync-loop.fixture.ts";

const countOf = (t: TestLoop, what: "push" | "pull"): number => t.received.filter((one) => one.what === what).length;

/** A loop that has pushed and pulled what there was. */
async function startedLoop(...given: Parameters<typeof createTestLoop>): Promise<TestLoop> {
  const t = createTestLoop(...given);
  t.loop.start();
  await t.env.advance(0);
  t.news();
  return t;
}

/** A promise that the test resolves. */
function gate<T>() {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (open = resolve));
  return { promise, open };
}

/** Whether a promise has been resolved by now. */
async function isSettled(t: TestLoop, promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await t.env.advance(0);
  return settled;
}

// What is asked for, and when.

test("a started loop pushes what there is, pulls, and polls", async () => {
  const t = createTestLoop();
  t.replica.add(2);
  t.loop.start();
  await t.env.advance(10_000);
  expect(t.news()).toEqual(["push@0", "pull@0", "pull@5000", "pull@10000"]);
  expect(t.received[0]?.ids).toEqual([1, 2]);
  expect(t.received.map(({ cookie }) => cookie)).toEqual([null, null, "k1", "k1"]);
  expect(t.errors).toEqual([]);
});

test("local work is pushed at once, and a pull follows the push that applied it", async () => {
  const t = await startedLoop();
  await t.env.advance(100);
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(0);
  expect(t.news()).toEqual(["push@100", "pull@100"]);
});

test("a push that may go on goes on before the pull: one pull for a batch of pushes", async () => {
  const t = await startedLoop();
  t.answer(({ ids }) => applied({ ids: ids.slice(0, 1) }));
  t.replica.add(2);
  t.loop.localWork();
  await t.env.advance(0);
  expect(t.received.slice(-4).map(({ what, ids }) => `${what} ${ids.join()}`)).toEqual([
    "pull ",
    "push 1,2",
    "push 2",
    "pull ",
  ]);
});

test("pokes during a pull are met by one more pull", async () => {
  const t = await startedLoop();
  const first = gate<Response>();
  t.answer(applied, () => first.promise);
  t.loop.poke();
  t.loop.poke();
  t.loop.poke();
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);
  first.open(page("k2"));
  t.answer(applied, () => page("k3"));
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);
  expect(t.replica.durableCookie).toBe("k3");
});

test("a pull goes on through every page", async () => {
  const t = await startedLoop();
  const pages = [page("k2", true), page("k3", true), page("k4")];
  t.answer(applied, () => pages.shift() ?? page("k4"));
  t.loop.poke();
  await t.env.advance(0);
  expect(t.received.slice(-3).map(({ cookie }) => cookie)).toEqual(["k1", "k2", "k3"]);
  expect(t.replica.durableCookie).toBe("k4");
});

test("a push begins while a pull is under way; a pull waits for the push, but not for a second one", async () => {
  const t = await startedLoop();
  const slowPull = gate<Response>();
  t.answer(applied, () => slowPull.promise);
  t.loop.poke();
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0", "push@0"]);
  slowPull.open(page("k2"));
  t.answer(applied, () => page("k3"));
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0"]);

  // Work that never ends: each push finds another mutation made meanwhile.
  t.answer((received) => {
    t.replica.add();
    t.loop.localWork();
    return new Promise((resolve) => void t.env.setTimeout(() => resolve(applied(received)), 100));
  });
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(3000);
  expect(countOf(t, "push")).toBeGreaterThan(20);
  expect(countOf(t, "pull")).toBeGreaterThan(10);
});

test("offline nothing is sent; coming online pushes and pulls at once", async () => {
  const t = await startedLoop();
  t.loop.setOnline(false);
  t.replica.add();
  t.loop.localWork();
  t.loop.poke();
  await t.env.advance(60_000);
  expect(t.news()).toEqual([]);
  expect(t.env.timerCount).toBe(0);
  t.loop.setOnline(true);
  await t.env.advance(0);
  expect(t.news()).toEqual(["push@60000", "pull@60000"]);
});

// pushOnce and pullOnce.

test("pullOnce resolves after the last page, pushOnce after the last batch", async () => {
  const t = await startedLoop();
  const last = gate<Response>();
  const pages: (Response | Promise<Response>)[] = [page("k2", true), last.promise];
  t.answer(applied, () => pages.shift() ?? page("k3"));
  const pull = t.loop.pullOnce();
  expect(await isSettled(t, pull)).toBe(false);
  last.open(page("k3"));
  expect(await isSettled(t, pull)).toBe(true);

  const batches = [gate<void>(), gate<void>()];
  let at = 0;
  t.answer(async (received) => {
    await batches[at++]?.promise;
    return applied({ ids: received.ids.slice(0, 1) });
  });
  t.replica.add(2);
  const push = t.loop.pushOnce();
  batches[0]?.open();
  expect(await isSettled(t, push)).toBe(false);
  batches[1]?.open();
  expect(await isSettled(t, push)).toBe(true);
  expect(t.replica.outboxIDs).toEqual([]);
});

test("pushOnce during a push waits for one that began after it", async () => {
  const t = await startedLoop();
  const [first, second] = [gate<void>(), gate<void>()];
  const gates = [first, second];
  t.answer(async (received) => {
    await gates.shift()?.promise;
    return applied(received);
  });
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(0);
  t.replica.add();
  const push = t.loop.pushOnce();
  first.open();
  expect(await isSettled(t, push)).toBe(false);
  second.open();
  expect(await isSettled(t, push)).toBe(true);
});

test("pushOnce and pullOnce resolve when the attempt failed, and at once when none can begin", async () => {
  const t = await startedLoop();
  t.answer(
    () => refusal(503, "server/retry"),
    () => refusal(500),
  );
  t.replica.add();
  expect(await isSettled(t, t.loop.pushOnce())).toBe(true);
  expect(await isSettled(t, t.loop.pullOnce())).toBe(true);
  expect(t.errors.map(({ kind }) => kind)).toEqual(["push-http", "pull-http"]);
  t.news();
  t.loop.setOnline(false);
  expect(await isSettled(t, t.loop.pushOnce())).toBe(true);
  t.loop.stop();
  expect(await isSettled(t, t.loop.pullOnce())).toBe(true);
  expect(t.news()).toEqual([]);
});

test("pushOnce ends a wait of our own", async () => {
  const t = await startedLoop();
  t.answer(() => refusal(400, "request/invalid"));
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(10);
  t.news();
  t.answer(applied);
  await t.loop.pushOnce();
  expect(t.news()[0]).toBe("push@10");
  expect(t.replica.outboxIDs).toEqual([]);
});

// Every status of the protocol.

test("401: the headers are asked for once more, then auth is required until a poll succeeds", async () => {
  let asked = 0;
  const t = createTestLoop({ authHeaders: async () => ({ authorization: `token ${(asked += 1)}` }) });
  t.answer(
    () => refusal(401, "auth/unauthorized"),
    () => refusal(401, "auth/unauthorized"),
  );
  t.replica.add();
  t.loop.start();
  await t.env.advance(4999);
  expect(t.received.map(({ what, request }) => `${what} ${request.headers.get("authorization")}`)).toEqual([
    "push token 1",
    "push token 2",
    "pull token 3",
    "pull token 4",
  ]);
  expect(t.statuses.at(-1)).toEqual({ online: true, syncing: false, auth: "required" });
  expect(t.errors).toMatchObject([
    { kind: "push-http", status: 401, code: "auth/unauthorized" },
    { kind: "pull-http", status: 401 },
  ]);
  t.answer(applied, () => page("k1"));
  await t.env.advance(1);
  expect(t.statuses.at(-1)).toEqual({ online: true, syncing: false, auth: "ok" });
  expect(t.replica.outboxIDs).toEqual([]);
});

test("401 once: new headers help, and nobody is told", async () => {
  let asked = 0;
  const t = createTestLoop({ authHeaders: () => ({ authorization: String((asked += 1)) }) });
  t.answer((one) => (one.request.headers.get("authorization") === "1" ? refusal(401) : applied(one)));
  t.replica.add();
  t.loop.start();
  await t.env.advance(0);
  expect(t.news()).toEqual(["push@0", "push@0", "pull@0"]);
  expect(t.errors).toEqual([]);
  expect(t.statuses.map(({ auth }) => auth)).not.toContain("required");
});

test.each([
  [400, "request/invalid"],
  [400, "auth/group-mismatch"],
  [400, "auth/client-mismatch"],
  [404, "request/not-found"],
  [405, "request/method"],
  [409, ""],
])("%i %s to a push: told, kept, tried again at the next poll; pulls go on", async (status, code) => {
  const t = await startedLoop();
  t.answer(() => refusal(status, code));
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(0);
  t.loop.poke();
  t.loop.localWork();
  await t.env.advance(4999);
  expect(t.news()).toEqual(["push@0", "pull@0"]);
  expect(t.errors).toEqual([
    { kind: "push-http", status, code, url: "http://localhost/sync/push", message: `refused ${code}` },
  ]);
  expect(t.replica.told).toContain(`pushFailed 1: refused ${code}`);
  expect(t.replica.outboxIDs).toEqual([1]);
  await t.env.advance(1);
  expect(t.news()).toEqual(["push@5000", "pull@5000"]);
  // Pulls succeed meanwhile, but something is failing.
  expect(t.successes()).toBe(1);
  t.answer(applied);
  await t.env.advance(5000);
  expect(t.replica.outboxIDs).toEqual([]);
  expect(t.successes()).toBeGreaterThan(1);
});

test("400 to a pull is told and tried again at the next poll", async () => {
  const t = await startedLoop();
  t.answer(applied, () => refusal(400, "request/invalid"));
  t.loop.poke();
  await t.env.advance(5000);
  expect(t.news()).toEqual(["pull@0", "pull@5000"]);
  expect(t.errors).toMatchObject([{ kind: "pull-http", status: 400 }, { kind: "pull-http" }]);
});

test("400 pull/cookie: the cookie is forgotten and the pull made again at once, and nobody is told", async () => {
  const t = await startedLoop();
  t.answer(applied, ({ cookie }) => (cookie === null ? page("k9") : refusal(400, "pull/cookie")));
  t.loop.poke();
  await t.env.advance(0);
  expect(t.news()).toEqual(["pull@0", "pull@0"]);
  expect(t.replica.told.slice(-2)).toEqual(["forgetCookie", "pulled k9"]);
  expect(t.errors).toEqual([]);
});

test("409 push/gap: the replica is told, and the push made again at once", async () => {
  const t = await startedLoop();
  t.replica.add(3);
  t.answer((one) =>
    one.ids[0] === 1 ? refusal(409, "push/gap", { clientID: "c1", lastMutationID: 2 }) : applied(one),
  );
  t.loop.localWork();
  await t.env.advance(0);
  expect(t.received.slice(1).map(({ what, ids }) => `${what} ${ids.join()}`)).toEqual([
    "push 1,2,3",
    "push 3",
    "pull ",
  ]);
  expect(t.replica.told).toContain("pushGap c1 2");
  expect(t.errors).toEqual([]);
});

test("a gap or a refused cookie that does not go away is told, and slows down", async () => {
  const t = await startedLoop();
  t.replica.add();
  t.answer(
    () => refusal(409, "push/gap", { clientID: "c1", lastMutationID: 0 }),
    () => refusal(400, "pull/cookie"),
  );
  t.loop.localWork();
  t.loop.poke();
  await t.env.advance(0);
  expect(countOf(t, "push")).toBe(limits.syncMendsMax + 1);
  expect(countOf(t, "pull")).toBe(limits.syncMendsMax + 2);
  expect(t.errors).toMatchObject([
    { kind: "push-http", code: "push/gap" },
    { kind: "pull-http", code: "pull/cookie" },
  ]);
  await t.env.advance(60_000);
  expect(t.received.length).toBeLessThan(2 * (limits.syncMendsMax + 1 + 4 + 12) + 2);
});

test.each(["schema/mismatch", "protocol/mismatch"])(
  "409 %s: the server is asked again with every poll and no sooner, and the outbox waits",
  async (code) => {
    const t = await startedLoop();
    t.answer(() => refusal(409, code, code === "schema/mismatch" ? { error: "schema mismatch", expected: "2" } : {}));
    t.replica.add();
    t.loop.localWork();
    await t.env.advance(0);
    expect(t.news()).toEqual(["push@0"]);
    expect(t.errors).toMatchObject([
      { kind: "schema-mismatch", phase: "push", expected: code === "schema/mismatch" ? "2" : "" },
    ]);
    t.answer(
      () => refusal(409, code),
      () => refusal(409, code),
    );
    t.loop.poke();
    t.loop.localWork();
    await t.env.advance(12_000);
    t.loop.poke();
    t.loop.localWork();
    expect(t.news()).toEqual(["pull@0", "push@5000", "pull@5000", "push@10000", "pull@10000"]);
    expect(t.statuses.at(-1)).toMatchObject({ syncing: false });
    t.answer(applied, () => page("k2"));
    await t.env.advance(3000);
    expect(t.replica.outboxIDs).toEqual([]);
  },
);

test("409 for the version of earlier entries: they go out under the client's own, at once and once", async () => {
  const t = await startedLoop();
  t.replica.add(2, "0");
  t.answer(
    (one) => (versions.push(versionOf(one)), versions.length === 1 ? refusal(409, "schema/mismatch") : applied(one)),
  );
  const versions: Promise<string>[] = [];
  t.loop.localWork();
  await t.env.advance(0);
  expect(await Promise.all(versions)).toEqual(["0", "1"]);
  expect([t.replica.outboxIDs, t.errors]).toEqual([[], []]);
  t.replica.add(2, "0");
  t.answer(() => refusal(409, "schema/mismatch"));
  t.loop.localWork();
  await t.env.advance(4000);
  expect(t.replica.told.filter((what) => what.startsWith("versionRefused"))).toHaveLength(3);
  expect(t.errors).toMatchObject([{ kind: "schema-mismatch" }]);
});

const versionOf = async ({ request }: { readonly request: Request }): Promise<string> =>
  ((await request.clone().json()) as { schemaVersion: string }).schemaVersion;

test("413: the batch is halved until it fits, and is whole again once the outbox was empty", async () => {
  const t = await startedLoop();
  t.answer((one) => (one.ids.length > 3 ? refusal(413, "limit/mutations") : applied(one)));
  t.replica.add(10);
  t.loop.localWork();
  await t.env.advance(0);
  const sizes = () => t.received.filter(({ what }) => what === "push").map(({ ids }) => ids.length);
  expect(sizes()).toEqual([10, 5, 2, 2, 2, 2, 2]);
  expect(t.errors).toEqual([]);
  t.replica.add(3);
  t.loop.localWork();
  await t.env.advance(0);
  expect(sizes().at(-1)).toBe(3);
});

test("413 for a single mutation is told and rests until the next poll", async () => {
  const t = await startedLoop();
  t.answer(() => refusal(413, "limit/payload"));
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(4999);
  expect(t.news()).toEqual(["push@0"]);
  expect(t.errors).toMatchObject([{ kind: "push-http", status: 413 }]);
  expect(t.replica.outboxIDs).toEqual([1]);
});

test("429: Retry-After is waited for, whatever else happens", async () => {
  const t = await startedLoop();
  t.answer(() => refusal(429, "limit/rate", {}, { "retry-after": "60" }));
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(0);
  t.loop.setOnline(false);
  t.loop.setOnline(true);
  expect(await isSettled(t, t.loop.pushOnce())).toBe(true);
  await t.env.advance(59_999);
  expect(countOf(t, "push")).toBe(1);
  expect(countOf(t, "pull")).toBeGreaterThan(10);
  t.answer(applied);
  await t.env.advance(1);
  expect(t.replica.outboxIDs).toEqual([]);
});

test("Retry-After: 0 does not shorten our own wait", async () => {
  const t = await startedLoop();
  t.answer(() => refusal(503, "server/retry", {}, { "retry-after": "0" }));
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(60_000);
  expect(countOf(t, "push")).toBeLessThan(12);
});

test.each([
  ["500", () => refusal(500)],
  ["503", () => refusal(503, "server/retry")],
  ["an unreachable server", () => Promise.reject(new TypeError("Failed to fetch"))],
])("%s: tried again after growing, jittered waits, then once per poll; no entry is dropped", async (_, answer) => {
  const t = await startedLoop();
  t.answer(answer);
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(30_000);
  const times = t.received.filter(({ what }) => what === "push").map(({ at }) => at);
  const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  for (const [i, full] of [500, 1000, 2000, 4000].entries()) {
    expect(waits[i]).toBeGreaterThanOrEqual(full / 2);
    expect(waits[i]).toBeLessThanOrEqual(full);
  }
  expect(times.slice(5).every((at) => at % 5000 === 0)).toBe(true);
  expect(waits.slice(5).every((wait) => wait === 5000)).toBe(true);
  expect(t.replica.outboxIDs).toEqual([1]);
  expect(t.errors.length).toBe(times.length);
  t.answer(applied);
  t.loop.setOnline(true);
  await t.env.advance(0);
  expect(t.replica.outboxIDs).toEqual([]);
});

test("a server that always fails gets at most 24 requests a minute once the first attempts are spent", async () => {
  const t = createTestLoop();
  t.answer(
    () => refusal(503),
    () => refusal(503),
  );
  t.replica.add();
  t.loop.start();
  await t.env.advance(60_000);
  const first = t.received.length;
  expect(first).toBeLessThanOrEqual(34);
  await t.env.advance(600_000);
  expect(t.received.length - first).toBeLessThanOrEqual(240);
});

// Answers that are wrong, late, or not there.

test.each([
  ["a page of a proxy", () => new Response("<html>Sign in to the hotel</html>")],
  ["JSON of another shape", () => Response.json({ ok: true })],
  ["results of nothing that was pushed", () => applied({ ids: [77] })],
  ["no results", () => applied({ ids: [] })],
])("%s in answer to a push counts as failed until the next poll", async (_, answer) => {
  const t = await startedLoop();
  t.answer(answer);
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(4999);
  expect(t.news()).toEqual(["push@0"]);
  expect(t.errors).toMatchObject([{ kind: "push-http", status: 200, message: expect.stringContaining("malformed") }]);
  expect(t.replica.told.at(-1)).toMatch(/^pushFailed 1: The server's answer is malformed/);
  expect(t.replica.outboxIDs).toEqual([1]);
});

test("a page that promises more but does not move counts as failed", async () => {
  const t = await startedLoop();
  t.answer(applied, () => page("k1", true));
  t.loop.poke();
  await t.env.advance(4999);
  expect(t.news()).toEqual(["pull@0"]);
  expect(t.errors).toMatchObject([{ kind: "pull-http", status: 200, message: expect.stringContaining("malformed") }]);
});

test("a page whose rows do not fit counts as failed, and the catch-up begins anew", async () => {
  const t = await startedLoop();
  t.replica.failure = new PlasmaError("protocol/field", { path: "title", expected: "a text" });
  t.loop.poke();
  await t.env.advance(5000);
  expect(t.news()).toEqual(["pull@0", "pull@5000"]);
  expect(t.errors).toMatchObject([{ kind: "pull-http", message: expect.stringContaining('"title" is not a text') }]);
  expect(t.replica.told.slice(-2)).toEqual(["abandonPull", "pulled k1"]);
  expect(t.stopped).toEqual([]);
});

test.each([
  ["the server", {}],
  ["authHeaders", { authHeaders: () => new Promise<HeadersInit>(() => undefined) }],
])("a request that %s never answers fails after a minute and is tried again", async (who, given) => {
  const t = createTestLoop(given);
  const never = () => new Promise<Response>(() => undefined);
  t.answer(never, never);
  t.loop.start();
  await t.env.advance(limits.requestMsMax - 1);
  expect(t.errors).toEqual([]);
  expect(t.statuses.at(-1)).toMatchObject({ syncing: true });
  await t.env.advance(1);
  expect(t.errors).toEqual([
    { kind: "network", phase: "pull", message: `No answer within ${limits.requestMsMax} ms.` },
  ]);
  if (who === "the server") expect(t.received[0]?.request.signal.aborted).toBe(true);
  await t.env.advance(500);
  expect(t.statuses.at(-1)).toMatchObject({ syncing: true });
});

test("authHeaders that throw count as a network failure", async () => {
  const t = await startedLoop({ authHeaders: () => Promise.reject(new RangeError("no token")) });
  expect(t.errors).toEqual([{ kind: "network", phase: "pull", message: "no token" }]);
  expect(t.received).toEqual([]);
});

// Stopping.

test("after stop nothing is sent, no timer is left, and late answers do not reach the replica", async () => {
  const t = await startedLoop();
  const [push, pull] = [gate<Response>(), gate<Response>()];
  t.answer(
    () => push.promise,
    () => pull.promise,
  );
  t.loop.poke();
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(0);
  const before = t.replica.told.length;
  const waiting = t.loop.pullOnce();
  t.loop.stop();
  expect(await isSettled(t, waiting)).toBe(true);
  expect(t.received.slice(-2).map(({ request }) => request.signal.aborted)).toEqual([true, true]);
  push.open(applied({ ids: [1] }));
  pull.open(page("k7"));
  await t.env.advance(600_000);
  expect(t.replica.told.length).toBe(before);
  expect(t.replica.outboxIDs).toEqual([1]);
  expect(t.env.timerCount).toBe(0);
  expect(t.errors).toEqual([]);
  expect(t.statuses.at(-1)).toMatchObject({ syncing: false });
});

test("a loop that is started again does not take the answers of its former requests", async () => {
  const t = await startedLoop();
  const [old, fresh] = [gate<Response>(), gate<Response>()];
  const answers = [old, fresh];
  t.answer(applied, () => answers.shift()?.promise ?? page("k9"));
  t.loop.poke();
  await t.env.advance(0);
  t.loop.stop();
  t.loop.start();
  await t.env.advance(0);
  old.open(page("old"));
  await t.env.advance(0);
  expect(t.replica.durableCookie).toBe("k1");
  expect(t.statuses.at(-1)).toMatchObject({ syncing: true });
  fresh.open(page("k8"));
  await t.env.advance(0);
  expect(t.replica.durableCookie).toBe("k8");
});

test("a page that was being written at the stop does not end a pull of the next start", async () => {
  const t = await startedLoop();
  const disk = gate<void>();
  t.replica.disk = disk.promise;
  t.loop.poke();
  await t.env.advance(0);
  t.loop.stop();
  t.answer(applied, () => new Promise(() => undefined));
  t.loop.start();
  disk.open();
  await t.env.advance(0);
  expect(t.statuses.at(-1)).toMatchObject({ syncing: true });
  t.news();
  t.loop.poke();
  await t.env.advance(0);
  expect(t.news()).toEqual([]);
});

test("an exception of the replica stops the loop and is handed over", async () => {
  const t = await startedLoop();
  const error = deposed();
  t.replica.failure = error;
  t.loop.poke();
  await t.env.advance(600_000);
  expect(t.stopped).toEqual([error]);
  expect(t.news()).toEqual(["pull@0"]);
  expect(t.env.timerCount).toBe(0);
  expect(t.errors).toEqual([]);
});

test("nothing is pushed or pulled once the replica says that the reign is over", async () => {
  const t = await startedLoop();
  const error = deposed();
  t.replica.deposed = error;
  t.replica.add();
  t.loop.localWork();
  await t.env.advance(600_000);
  expect(t.stopped).toEqual([error]);
  expect(t.news()).toEqual([]);
});

// Status.

test("the status is told when it changes, and only then", async () => {
  const t = await startedLoop();
  expect(t.statuses).toEqual([
    { online: true, syncing: true, auth: "ok" },
    { online: true, syncing: false, auth: "ok" },
  ]);
  t.loop.setOnline(true);
  await t.env.advance(0);
  t.loop.setOnline(false);
  t.loop.localWork();
  t.loop.poke();
  expect(t.statuses.slice(2)).toEqual([
    { online: true, syncing: true, auth: "ok" },
    { online: true, syncing: false, auth: "ok" },
    { online: false, syncing: false, auth: "ok" },
  ]);
});
