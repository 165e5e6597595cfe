// What pokes carry, to whom, and what it costs. That a patch is what a pull would answer, whatever the rules:
// sync/rules.suite.ts.

import { describe, expect, test } from "vitest";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { id, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { compactChangeLog } from "../change-log/compact-change-log.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { checkHandlerOptions, type SyncHandlerOptions } from "../handler-options.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { hooked, memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { authOf, mutation, mutators, RawClient, schema, startServer, type Ctx } from "../sync/sync-server.fixture.ts";
import { ruleSchema } from "../sync/rules.fixture.ts";
import { createTestSocket, identityOf, type TestSocket } from "./hub-socket.fixture.ts";
import type { SocketIdentity } from "./hub-socket.ts";
import { Hub } from "./hub.ts";
import { PokePatches } from "./poke-patches.ts";

type Options = Partial<SyncHandlerOptions<Ctx>>;

/** A server, a hub beside it, and clients that have a socket and have pulled. */
async function start(given: Options = {}) {
  const clock = { now: 1_000_000 };
  let timers: { readonly at: number; readonly fn: () => void }[] = [];
  const setTimeout = (fn: () => void, delayMs: number) => timers.push({ at: clock.now + delayMs, fn });
  const env: Env = { ...systemEnv, now: () => clock.now, setTimeout };
  const elapse = (ms: number) => {
    clock.now += ms;
    const due = timers.filter(({ at }) => at <= clock.now);
    timers = timers.filter(({ at }) => at > clock.now);
    for (const { fn } of due) fn();
  };
  const counts = { statements: 0 };
  let failure: (() => void) | null = null;
  const executor: SqlExecutor = hooked(memoryDatabase(), (when, sqlText) => {
    if (when === "before") failure?.();
    if (when === "before") counts.statements += sqlText.split("; ").length;
  });
  const options = { schema, mutators, executor, schemaVersion: "1", auth: authOf, ...given } as SyncHandlerOptions<Ctx>;
  await ensureSchema({ schema: options.schema, executor });
  const server = startServer(executor, options);
  const patches = new PokePatches(checkHandlerOptions({ ...options, env } as never));
  const hub = new Hub({ env, sweepMs: null, deliver: (listeners) => void patches.deliver(listeners) });
  const join = (user: string, more: Partial<SocketIdentity> = {}, ctxKey?: string): TestSocket => {
    const socket = createTestSocket();
    const identity = identityOf(user, { clientGroupID: user, replicaID: `r-${user}`, ...more });
    const auth = { ok: true, clientGroupID: user, ctx: { userId: user }, ...(ctxKey ? { ctxKey } : {}) } as const;
    hub.join(socket, { identity, auth, renew: null });
    return socket;
  };
  const client = (user: string, n = 1) =>
    new RawClient(server, { user, clientID: `c-${user}-${n}`, replicaID: `r-${user}` });
  const sayCookie = (socket: TestSocket, of: RawClient) =>
    hub.receive(socket, JSON.stringify({ type: "cookie", cookie: of.cookie }));
  /** A client that is at the end of the log, and its socket. */
  const reader = async (user: string, more: Partial<SocketIdentity> = {}) => {
    const pulling = client(user);
    await pulling.pull();
    const socket = join(user, more);
    sayCookie(socket, pulling);
    return { socket, client: pulling };
  };
  const poke = async (origin: { clientID: string; replicaID: string } | null = null) => {
    hub.poke({ rooms: null, origin });
    await patches.deliver([]);
  };
  const fail = (how: (() => void) | null) => void (failure = how);
  return { server, executor, hub, patches, clock, elapse, counts, join, client, reader, sayCookie, poke, fail };
}

const plain = { type: "poke" };
const idsOf = (frames: readonly { patch?: { patch: readonly { op: string; id: string }[] } }[]) =>
  frames.map(({ patch }) => patch?.patch.map((op) => `${op.op} ${op.id}`) ?? "plain");

describe("who is told what", () => {
  test("a change rides on the poke of those who see it, and who does not is told nothing", async () => {
    const { reader, client, poke } = await start();
    const [ada, grace] = [await reader("ada"), await reader("grace")];
    const alan = client("alan");
    await alan.push(mutation(1, "addNote", { id: "n1", shared: true }));
    await poke();
    for (const { socket, client: puller } of [ada, grace]) {
      const frames = socket.news();
      expect(idsOf(frames)).toEqual([["put n1"]]);
      expect(frames[0].patch.from).toBe(puller.cookie);
    }
    await alan.push(mutation(2, "setNote", { id: "n1", shared: false }));
    await alan.push(mutation(3, "addNote", { id: "n2", title: "secret" }));
    await poke();
    expect(idsOf(ada.socket.news())).toEqual([["del n1"]]);
    await alan.push(mutation(4, "setNote", { id: "n2", title: "secret still" }));
    await poke();
    expect(ada.socket.news()).toEqual([]);
  });

  test("patches follow each other from cookie to cookie, and end where a pull would", async () => {
    const { reader, client, poke } = await start();
    const ada = await reader("ada");
    const alan = client("alan");
    for (let n = 1; n <= 5; n++) {
      await alan.push(mutation(n, "addPost", { body: `b${n}` }));
      await poke();
    }
    for (const { patch } of ada.socket.news()) {
      expect(patch.from).toBe(ada.client.cookie);
      ada.client.apply(patch);
    }
    expect(ada.client.rows.size).toBe(5);
    expect((await ada.client.pullPage()).json).toMatchObject({ cookie: ada.client.cookie, patch: [] });
  });

  test("a mutation of another tab of the same replica is confirmed by the patch that holds its effect", async () => {
    const { reader, client, poke } = await start();
    const ada = await reader("ada", { replicaID: "r-ada" });
    await client("ada", 2).push(mutation(1, "addPost", { body: "mine" }));
    await client("alan").push(mutation(1, "addPost", { body: "theirs" }));
    await poke();
    const [{ patch }] = ada.socket.news();
    expect(patch.patch).toHaveLength(2);
    expect(patch.lastMutationIDs).toEqual({ "c-ada-2": 1 });
  });

  test("its own push is not told to a replica by whatever way it is heard of; what others do is", async () => {
    const { server, reader, poke } = await start();
    const [ada, grace] = [await reader("ada"), await reader("grace")];
    await ada.client.push(mutation(1, "addPost", { body: "mine" }));
    await poke({ clientID: ada.client.identity.clientID, replicaID: "r-ada" });
    await poke();
    expect(ada.socket.news()).toEqual([]);
    expect(idsOf(grace.socket.news())).toHaveLength(1);
    // A stranger who claims the replica's name keeps nothing from it.
    await new RawClient(server, { user: "alan", clientID: "c-alan", replicaID: "r-ada" }).push(
      mutation(1, "addPost", { body: "theirs" }),
    );
    await poke();
    expect(idsOf(ada.socket.news())).toHaveLength(1);
  });

  test("a commit that is heard of twice is told once, with a patch or without", async () => {
    const { reader, join, client, poke } = await start();
    const ada = await reader("ada");
    const mute = join("grace");
    await client("alan").push(mutation(1, "addPost", { body: "b" }));
    await poke();
    await poke();
    expect(ada.socket.news()).toHaveLength(1);
    expect(mute.news()).toEqual([plain]);
  });

  test("an older version is sent what it knows", async () => {
    const posts = table("posts", { id: id(), body: text(), mood: text().default("calm") });
    const { reader, client, poke } = await start({ acceptSchemaVersions: { old: defineSchema({ posts }) } });
    const ada = await reader("ada");
    const old = await reader("grace", { schemaVersion: "old" });
    await client("alan").push(
      mutation(1, "addNote", { id: "n1", shared: true }),
      mutation(2, "addPost", { body: "b" }),
    );
    await poke();
    expect(ada.socket.news()[0].patch.patch).toHaveLength(2);
    // Its cookie was given to another version: only a pull can tell.
    expect(old.socket.news()).toEqual([plain]);
  });
});

describe("a plain poke goes to who", () => {
  const change = async ({ client, poke }: Awaited<ReturnType<typeof start>>) => {
    await client("alan").push(mutation(1, "addPost", { body: "b" }));
    await poke();
  };

  test("has said no cookie, or one that is none", async () => {
    const world = await start();
    const { join, hub } = world;
    const sockets = [join("ada"), join("grace"), join("x")];
    hub.receive(sockets[1] as TestSocket, JSON.stringify({ type: "hello", cookie: "c1:nonsense" }));
    hub.receive(sockets[2] as TestSocket, JSON.stringify({ type: "hello", cookie: "nonsense" }));
    await change(world);
    for (const socket of sockets) expect(socket.news().filter(({ type }) => type === "poke")).toEqual([plain]);
  });

  test("was let in a minute ago, until it has pulled again", async () => {
    const world = await start();
    const ada = await world.reader("ada");
    world.clock.now += limits.socketCtxMsMax + 1;
    await change(world);
    expect(ada.socket.news()).toEqual([plain]);
    await ada.client.pull();
    world.sayCookie(ada.socket, ada.client);
    // As it is seen by the handler; of another's pull the socket knows nothing.
    const pulled = (user: string) =>
      world.patches.pulled({ ok: true, clientGroupID: user, ctx: { userId: user } }, "ada", "r-ada");
    pulled("grace");
    await world.client("alan", 2).push(mutation(1, "addPost", { body: "b" }));
    await world.poke();
    expect(ada.socket.news()).toEqual([plain]);
    pulled("ada");
    await world.client("alan", 2).push(mutation(2, "addNote", { id: "n1", shared: true }));
    await world.poke();
    expect(idsOf(ada.socket.news()).flat()).toContain("put n1");
  });

  test("has a cookie of other rights, of a version that is not served, or of a first sync under way", async () => {
    const world = await start();
    const { client, join, sayCookie } = world;
    const keyed = client("ada");
    await keyed.pull();
    const other = join("ada", {}, "other rights");
    sayCookie(other, keyed);
    const stranger = await world.reader("grace", { schemaVersion: "2" });
    const slow = client("alan");
    await slow.push(mutation(1, "addPost", { body: "1" }), mutation(2, "addPost", { body: "2" }));
    await slow.pullPage(1);
    const socket = join("alan");
    sayCookie(socket, slow);
    await client("ada", 2).push(mutation(1, "addPost", { body: "b" }));
    await world.poke();
    for (const one of [other, stranger.socket, socket]) expect(one.news()).toEqual([plain]);
  });

  test("has a refusal to learn", async () => {
    const world = await start();
    const ada = await world.reader("ada");
    await world.client("ada", 2).push(mutation(1, "throwAfterWrite", { message: "no" }));
    await change(world);
    expect(ada.socket.news()).toEqual([plain]);
  });

  test("is behind by more than a poke carries", async () => {
    const world = await start();
    const ada = await world.reader("ada");
    const alan = world.client("alan");
    await alan.push(mutation(1, "addPost", { body: "x".repeat(limits.pokePatchCharsMax) }));
    await world.poke();
    expect(ada.socket.news()).toEqual([plain]);
    await ada.client.pull();
    world.sayCookie(ada.socket, ada.client);
    for (let n = 0; n < 2; n++)
      await alan.push(...Array.from({ length: 101 }, (_, i) => mutation(2 + n * 101 + i, "addPost", { body: "b" })));
    await world.poke();
    expect(ada.socket.news()).toEqual([plain]);
  });

  test("is at a place that the log no longer has", async () => {
    const world = await start();
    const [ada, grace] = [await world.reader("ada"), await world.reader("grace")];
    const alan = world.client("alan");
    await alan.push(...[1, 2, 3].map((n) => mutation(n, "addPost", { body: "b" })));
    await grace.client.pull();
    world.sayCookie(grace.socket, grace.client);
    await compactChangeLog({ executor: world.executor, safeUpToVersion: 4 });
    await alan.push(mutation(4, "addPost", { body: "b" }));
    await world.poke();
    expect(ada.socket.news()).toEqual([plain]);
    expect(idsOf(grace.socket.news())).toHaveLength(1);
    // A backup is put back: other entries stand at the same versions.
    await world.executor.run({ text: "UPDATE _plasma_changes SET tag = '0000000000000000'", params: [] });
    await alan.push(mutation(5, "addPost", { body: "b" }));
    await world.poke();
    expect(grace.socket.news()).toEqual([plain]);
  });

  test("meets a database that does not answer, or a rule that throws", async () => {
    const notes = table(
      "notes",
      { id: id(), body: text() },
      { auth: { read: (ctx: Ctx) => ctx.userId !== "x" || fails() } },
    );
    const fails = (): never => {
      throw new RangeError("a rule");
    };
    const world = await start({ schema: defineSchema({ notes }) });
    const [ada, x] = [await world.reader("ada"), await world.reader("x")];
    await world.executor.run({ text: "INSERT INTO notes VALUES ('n1', 'b')", params: [] });
    await world.poke();
    expect(idsOf(ada.socket.news())).toEqual([["put n1"]]);
    expect(x.socket.news()).toEqual([plain]);
    world.fail(() => {
      throw new RangeError("no database");
    });
    await world.poke();
    for (const { socket } of [ada, x]) expect(socket.news()).toEqual([plain]);
  });
});

describe("rounds", () => {
  test("what changes while one runs is told by the next, in order, and many changes are one", async () => {
    const { reader, client, hub, patches } = await start();
    const ada = await reader("ada");
    const alan = client("alan");
    await alan.push(mutation(1, "addPost", { body: "b1" }));
    hub.poke({ rooms: null, origin: null });
    const done = patches.deliver([]);
    await alan.push(mutation(2, "addPost", { body: "b2" }));
    hub.poke({ rooms: null, origin: null });
    await alan.push(mutation(3, "addPost", { body: "b3" }));
    hub.poke({ rooms: null, origin: null });
    await done;
    await patches.deliver([]);
    const frames = ada.socket.news();
    expect(frames.length).toBeLessThan(4);
    for (const { patch } of frames) {
      expect(patch.from).toBe(ada.client.cookie);
      ada.client.apply(patch);
    }
    expect(ada.client.rows.size).toBe(3);
  });

  test("one change is one batch of two statements for a thousand sockets, rules over rows included", async () => {
    const { reader, join, sayCookie, client, poke, counts } = await start();
    const first = await reader("ada");
    const sockets = Array.from({ length: 999 }, (_, i) => {
      const socket = join(`u${i}`);
      sayCookie(socket, first.client);
      return socket;
    });
    await client("alan").push(mutation(1, "addNote", { id: "n1", shared: true }));
    await poke();
    counts.statements = 0;
    await client("alan", 2).push(mutation(1, "addPost", { body: "b" }));
    const pushed = counts.statements;
    await poke();
    expect(counts.statements - pushed).toBe(2);
    for (const socket of sockets) expect(socket.news().map(({ patch }) => patch?.patch.length)).toEqual([1, 1]);
  });

  test("where a rule looks into other tables, who has the same rule is asked for once, and no more than a bound", async () => {
    const { executor, join, client, sayCookie, poke, counts, elapse } = await start({ schema: ruleSchema });
    const run = (sqlText: string) => executor.run({ text: sqlText, params: [] });
    await run("INSERT INTO lists VALUES ('l1', 'list', NULL, 0)");
    const users = Array.from({ length: limits.pokeAsksMax + 20 }, (_, i) => `u${i}`);
    for (const user of users) await run(`INSERT INTO members VALUES ('m-${user}', 'l1', '${user}', 1)`);
    const first = client("u0");
    await first.pull();
    const sockets = users.flatMap((user) => [1, 2, 3].map(() => join(user)));
    for (const socket of sockets) sayCookie(socket, first);
    await run("INSERT INTO todos VALUES ('t1', 'l1', 'do', 0)");
    counts.statements = 0;
    await poke();
    // Two for the log; then for each rule two for todos, two for comments, and one that looks for a compaction.
    expect(counts.statements).toBeLessThanOrEqual(2 + limits.pokeAsksMax * 5);
    const told = () => sockets.map((socket) => idsOf(socket.news()).join());
    const first64 = told();
    expect(first64.filter((ops) => ops === "put t1")).toHaveLength(limits.pokeAsksMax * 3);
    // The rest pull, a few at a time.
    expect(first64.filter((ops) => ops === "")).toHaveLength(20 * 3);
    for (const count of [limits.pacedPokesMax, limits.pacedPokesMax, 20 * 3 - 2 * limits.pacedPokesMax, 0]) {
      elapse(limits.pacedPokesMs);
      expect(told().filter((ops) => ops === "plain")).toHaveLength(count);
    }
  });
});
