// The hub on virtual time: who is told what, and when.

import { beforeEach, describe, expect, test } from "vitest";
import { createVirtualEnv, type VirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import { createTestSocket, identityOf, type TestSocket } from "./hub-socket.fixture.ts";
import type { SocketIdentity } from "./hub-socket.ts";
import { Hub, POKE } from "./hub.ts";
import type { Admission, Renewal } from "./listener.ts";

const poke = { type: "poke" };
const all = { rooms: null, origin: null };
const put = (clientID: string, userInfo: unknown) => ({ clientID, userInfo });
const list = (...entries: unknown[]) => ({ type: "presence", entries });
const delta = (puts: unknown[], del: string[] = []) => ({ type: "presence-delta", put: puts, del });

describe("Hub", () => {
  let env: VirtualEnv;
  let hub: Hub;
  beforeEach(() => {
    env = createVirtualEnv();
    hub = new Hub({ env });
  });

  interface Opening extends Partial<SocketIdentity> {
    readonly renew?: Admission["renew"];
  }

  function open(clientID: string | null, { renew = null, ...more }: Opening = {}): TestSocket {
    const socket = createTestSocket();
    hub.join(socket, { identity: identityOf(clientID, more), auth: null, renew });
    return socket;
  }

  const say = (socket: TestSocket, frame: unknown) => hub.receive(socket, JSON.stringify(frame));

  function enter(clientID: string, userInfo: unknown = { name: clientID }, more: Opening = {}): TestSocket {
    const socket = open(clientID, more);
    say(socket, { type: "hello", userInfo });
    return socket;
  }

  /** The members as a client would know them that applied all that was sent to it. */
  function membersKnownTo(socket: TestSocket): Record<string, unknown> {
    const members = new Map<string, unknown>();
    for (const text of socket.sent.filter((sent) => sent !== "pong")) {
      const frame = JSON.parse(text) as { entries?: []; put?: []; del?: string[] };
      if (frame.entries !== undefined) members.clear();
      for (const { clientID, userInfo } of [...(frame.entries ?? []), ...(frame.put ?? [])] as any[])
        members.set(clientID, userInfo);
      for (const clientID of frame.del ?? []) members.delete(clientID);
    }
    return Object.fromEntries(members);
  }

  describe("pokes", () => {
    test("reach all but the client and the replica that pushed", () => {
      const [a, sameReplica, b, nameless] = [
        open("a"),
        open("a2", { replicaID: "replica of a" }),
        open("b"),
        open(null),
      ];
      hub.poke({ rooms: null, origin: { clientID: "a", replicaID: "replica of a" } });
      expect([a, sameReplica, b, nameless].map(({ sent }) => sent)).toEqual([[], [], [POKE], [POKE]]);
    });

    test("reach the rooms that they are for", () => {
      const [red, blue, green] = ["red", "blue", "green"].map((room) => open("a", { room }));
      hub.poke({ rooms: ["red", "green", "nowhere"], origin: null });
      expect([red, blue, green].map((socket) => socket?.sent.length)).toEqual([1, 0, 1]);
    });

    test("reach nobody who left", () => {
      const [stays, left] = [open("a"), open("b")];
      hub.leave(left, 1000);
      hub.poke(all);
      expect([stays.sent, left.sent]).toEqual([[POKE], []]);
    });

    test("go by a socket that is closing", () => {
      const [closing, stays] = [open("a"), open("b")];
      closing.close(1000, "");
      hub.poke(all);
      expect(stays.sent).toEqual([POKE]);
    });

    test("are delivered by whoever knows more, with the cookie that the client said", () => {
      const told: unknown[] = [];
      hub = new Hub({ env, deliver: (listeners) => told.push(listeners.map(({ record }) => record.cookie)) });
      const a = open("a");
      say(a, { type: "hello", cookie: "c1:x" });
      hub.poke(all);
      say(a, { type: "cookie", cookie: "c1:y" });
      hub.poke(all);
      expect(told).toEqual([["c1:x"], ["c1:y"]]);
    });
  });

  describe("presence", () => {
    test("the whole list comes at the join, changes after it", async () => {
      const ada = enter("ada");
      expect(ada.news()).toEqual([list(put("ada", { name: "ada" }))]);
      await env.advance(1000);
      ada.news();
      const grace = enter("grace");
      expect(grace.news()).toEqual([list(put("ada", { name: "ada" }), put("grace", { name: "grace" }))]);
      await env.advance(0);
      expect(ada.news()).toEqual([delta([put("grace", { name: "grace" })])]);
      say(grace, { type: "presence", userInfo: { x: 1 } });
      hub.leave(ada, 1001);
      await env.advance(limits.presenceTickMs);
      expect(membersKnownTo(grace)).toEqual({ grace: { x: 1 } });
    });

    test("what comes within a tick goes out as one frame, the last of each", async () => {
      const sockets = ["a", "b", "c"].map((clientID) => enter(clientID));
      await env.advance(1000);
      for (const socket of sockets) socket.news();
      say(sockets[0]!, { type: "presence", userInfo: "first" });
      await env.advance(0);
      for (let i = 0; i < 10; i++) for (const socket of sockets) say(socket, { type: "presence", userInfo: i });
      await env.advance(limits.presenceTickMs);
      for (const socket of sockets)
        expect(socket.news()).toEqual([delta([put("a", "first")]), delta([put("a", 9), put("b", 9), put("c", 9)])]);
    });

    test("what did not change is not told", async () => {
      const [a, b] = [enter("a"), enter("b")];
      await env.advance(1000);
      b.news();
      say(a, { type: "presence", userInfo: { name: "a" } });
      await env.advance(1000);
      expect(b.news()).toEqual([]);
    });

    test("rooms do not see each other", async () => {
      const [red, blue] = [enter("a", 1, { room: "red" }), enter("b", 1, { room: "blue" })];
      await env.advance(1000);
      expect([membersKnownTo(red), membersKnownTo(blue)]).toEqual([{ a: 1 }, { b: 1 }]);
    });

    test("who says nothing of itself sees and is not seen; who does not want to know is not told", async () => {
      const ada = enter("ada", 1);
      const watcher = open("watcher");
      say(watcher, { type: "hello" });
      const deaf = open("deaf", { wantsPresence: false });
      say(deaf, { type: "hello" });
      const mute = open("mute");
      say(ada, { type: "presence", userInfo: 2 });
      await env.advance(1000);
      expect([watcher, deaf, mute].map(membersKnownTo)).toEqual([{ ada: 2 }, {}, {}]);
      expect([deaf.sent, mute.sent]).toEqual([[], []]);
      expect(membersKnownTo(ada)).toEqual({ ada: 2 });
    });

    test("who has no name is not shown", async () => {
      const watcher = enter("watcher");
      const nameless = open(null);
      say(nameless, { type: "hello", userInfo: "boo" });
      await env.advance(1000);
      expect(Object.keys(membersKnownTo(watcher))).toEqual(["watcher"]);
      expect(Object.keys(membersKnownTo(nameless))).toEqual(["watcher"]);
    });

    test("null ends it", async () => {
      const [a, b] = [enter("a", 1), enter("b", 1)];
      say(a, { type: "presence", userInfo: null });
      await env.advance(1000);
      expect(membersKnownTo(b)).toEqual({ b: 1 });
    });

    test("a member of several sockets is one, shows what it said last, and stays until its last has left", async () => {
      const [one, two, watcher] = [enter("a", "one"), enter("a", "two"), enter("w", 0)];
      await env.advance(1000);
      expect(membersKnownTo(watcher)).toEqual({ a: "two", w: 0 });
      hub.leave(two, 1000);
      await env.advance(1000);
      expect(membersKnownTo(watcher)).toEqual({ a: "one", w: 0 });
      hub.leave(one, 1000);
      await env.advance(1000);
      expect(membersKnownTo(watcher)).toEqual({ w: 0 });
    });

    test("nobody poses as a member of another group", async () => {
      const [ada, watcher] = [enter("ada", "true"), enter("w", 0)];
      const posing = enter("ada", "false", { clientGroupID: "others" });
      await env.advance(1000);
      expect(posing.closed).toEqual({ code: 4403, reason: "auth/client-mismatch" });
      expect(ada.closed).toBeNull();
      expect(membersKnownTo(watcher)).toEqual({ ada: "true", w: 0 });
    });

    test("a socket that broke leaves its member in place for its return, and takes it away when it does not", async () => {
      const [a, watcher] = [enter("a", 1), enter("w", 0)];
      await env.advance(1000);
      watcher.news();
      hub.leave(a, 1006);
      await env.advance(limits.presenceGraceMs - 1);
      enter("a", 1);
      await env.advance(limits.presenceGraceMs);
      expect(watcher.news()).toEqual([]);
      const b = enter("b", 1);
      await env.advance(1000);
      hub.leave(b, 1006);
      await env.advance(limits.presenceGraceMs + 1000);
      expect(membersKnownTo(watcher)).toEqual({ a: 1, w: 0 });
    });

    test("a member that is silent expires; one that pings stays, also when the platform answers", async () => {
      const [silent, pings, slept, watcher] = [enter("s", 1), enter("p", 1), enter("l", 1), enter("w", 0)];
      for (let ms = 0; ms <= limits.socketSilenceMsMax + limits.socketSweepMs; ms += 10_000) {
        for (const socket of [pings, watcher]) hub.receive(socket, "ping");
        slept.pingAt = env.now();
        await env.advance(10_000);
      }
      expect(silent.closed).toEqual({ code: 1012, reason: "limit/silence" });
      expect(pings.news().at(-1)).toBe("pong");
      expect([slept.closed, hub.size]).toEqual([null, 3]);
    });

    test("who only listens may be silent for ever", async () => {
      const quiet = open("a");
      await env.advance(3 * limits.socketSilenceMsMax);
      hub.poke(all);
      expect([quiet.closed, quiet.sent]).toEqual([null, [POKE]]);
    });

    test("a busy room is told less often, so that it sends no more than its bound", async () => {
      const count = 200;
      const sockets = Array.from({ length: count }, (_, i) => enter(`client-${i}`, 0));
      await env.advance(10_000);
      for (const socket of sockets) socket.sent.length = 0;
      const seconds = 5;
      const filler = "x".repeat(500);
      for (let ms = 0; ms < seconds * 1000; ms += 50) {
        for (const socket of sockets) say(socket, { type: "presence", userInfo: `${ms} ${filler}` });
        await env.advance(50);
      }
      const bytes = sockets.flatMap(({ sent }) => sent).reduce((sum, text) => sum + text.length, 0);
      const oneTick = count * count * 600;
      expect(bytes).toBeLessThan(limits.presenceBytesPerSecondMax * seconds + 2 * oneTick);
      expect(sockets.every(({ closed }) => closed === null)).toBe(true);
      const largest = Math.max(...sockets.flatMap(({ sent }) => sent.map((text) => text.length)));
      const tickBytes = (limits.presenceBytesPerSecondMax * limits.presenceTickMs) / 1000;
      expect(largest * count).toBeLessThan(tickBytes + count * 700);
      // Everybody has their turn.
      const times = new Map<string, number>();
      for (const text of sockets[0]!.sent)
        for (const { clientID } of (JSON.parse(text) as { put: { clientID: string }[] }).put)
          times.set(clientID, (times.get(clientID) ?? 0) + 1);
      expect(times.size).toBe(count);
      expect(Math.max(...times.values()) - Math.min(...times.values())).toBeLessThanOrEqual(1);
      await env.advance(10_000);
      expect(new Set(Object.values(membersKnownTo(sockets[0]!)))).toEqual(new Set([`4950 ${filler}`]));
    });
  });

  describe("bounds", () => {
    test.each([
      ["bytes", new Uint8Array([1]).buffer, 1003],
      ["more than a frame may have", "x".repeat(limits.socketFrameBytesMax + 1), 1009],
    ])("a frame of %s closes the socket", (_, data, code) => {
      const socket = open("a");
      hub.receive(socket, data);
      expect([socket.closed?.code, hub.size]).toEqual([code, 0]);
    });

    test("a flood of frames closes the socket, at any rate below the bound it stays", async () => {
      const [flood, steady] = [enter("a"), enter("b")];
      for (let i = 0; i < limits.socketFramesBurstMax; i++) hub.receive(flood, "?");
      for (let second = 0; second < 20; second++) {
        for (let i = 0; i < limits.socketFramesPerSecondMax; i++) hub.receive(steady, "?");
        await env.advance(1000);
      }
      expect([flood.closed?.code, steady.closed]).toEqual([1008, null]);
    });

    test("a consumer that takes nothing is dropped, and the others are told all the same", () => {
      const [slow, fast] = [open("a"), open("b")];
      slow.waitingBytes = limits.socketBufferBytesMax + 1;
      hub.poke(all);
      expect([slow.closed, slow.sent]).toEqual([{ code: 4408, reason: "limit/slow-consumer" }, []]);
      expect(fast.sent).toEqual([POKE]);
    });

    test("who asks for the list again and again is closed", () => {
      const socket = open("a");
      for (let i = 0; i < 50; i++) say(socket, { type: "hello" });
      expect([socket.closed?.code, socket.sent.length]).toEqual([1008, limits.socketFramesBurstMax / 10]);
    });

    test("frames of a socket that was closed are ignored", () => {
      const socket = open("a");
      hub.receive(socket, new ArrayBuffer(1));
      say(socket, { type: "hello", userInfo: 1 });
      expect(socket.sent).toEqual([]);
    });

    test("a hub that is left has no timer", async () => {
      const [a, b] = [enter("a"), enter("b")];
      await env.advance(1000);
      hub.leave(a, 1006);
      hub.leave(b, 1000);
      await env.advance(limits.presenceGraceMs);
      expect([env.timerCount, hub.size]).toEqual([0, 0]);
    });

    test("closing it asks all to come again and leaves no timer", () => {
      const [a, b] = [enter("a"), enter("b")];
      hub.close();
      expect([a.closed?.code, b.closed?.code, env.timerCount, hub.size]).toEqual([1012, 1012, 0, 0]);
    });
  });

  describe("rights", () => {
    const yes: Renewal = { ok: true, auth: { ok: true, clientGroupID: "g", ctx: {} } };
    const no: Renewal = { ok: false, code: 4401, reason: "auth/unauthorized" };
    const later = limits.socketAuthMsMax + 1;

    test("nothing goes to whom nobody asked for the bound: it is asked again, then told", async () => {
      let asked = 0;
      const renew = () => Promise.resolve((asked++, yes));
      const socket = open("a", { renew });
      await env.advance(later);
      hub.poke(all);
      hub.poke(all);
      expect(socket.sent).toEqual([]);
      await env.advance(0);
      expect([socket.sent, asked]).toEqual([[POKE], 1]);
      hub.poke(all);
      expect([socket.sent, asked]).toEqual([[POKE, POKE], 1]);
    });

    test("whose rights were revoked is told nothing more, neither pokes nor presence", async () => {
      const watcher = enter("w", 0, { renew: () => Promise.resolve(yes) });
      const revoked = enter("a", 1, { renew: () => Promise.resolve(no) });
      for (let ms = 0; ms < later; ms += 10_000) {
        for (const socket of [watcher, revoked]) hub.receive(socket, "ping");
        await env.advance(10_000);
      }
      for (const socket of [watcher, revoked]) socket.news();
      say(watcher, { type: "presence", userInfo: "secret" });
      await env.advance(1000);
      hub.poke(all);
      await env.advance(1000);
      expect([revoked.closed, revoked.news()]).toEqual([{ code: 4401, reason: "auth/unauthorized" }, []]);
      expect(membersKnownTo(watcher)).toEqual({ w: "secret" });
    });

    test("who cannot be asked again comes again, and is a member meanwhile", async () => {
      const [old, watcher] = [enter("a", 1), enter("w", 0, { renew: () => Promise.resolve(yes) })];
      for (let ms = 0; ms < later; ms += 10_000) {
        for (const socket of [old, watcher]) hub.receive(socket, "ping");
        await env.advance(10_000);
      }
      hub.poke(all);
      expect(old.closed).toEqual({ code: 1012, reason: "auth/expired" });
      await env.advance(limits.presenceGraceMs - 1);
      expect(membersKnownTo(watcher)).toEqual({ a: 1, w: 0 });
    });

    test("what auth said is asked again when it is too old for a patch, without holding the poke back", async () => {
      const told: boolean[] = [];
      hub = new Hub({
        env,
        deliver: (listeners) => told.push(...listeners.map((listener) => listener.freshAuth(env.now()) !== null)),
      });
      let asked = 0;
      open("a", { renew: () => Promise.resolve((asked++, yes)) });
      await env.advance(limits.socketCtxMsMax + 1);
      hub.poke(all);
      hub.poke(all);
      await env.advance(0);
      hub.poke(all);
      expect([told, asked]).toEqual([[false, false, true], 1]);
    });

    test("rights that end are seen at the first poke after a minute", async () => {
      const socket = open("a", { renew: () => Promise.resolve(no) });
      await env.advance(limits.socketCtxMsMax + 1);
      hub.poke(all);
      await env.advance(0);
      hub.poke(all);
      expect([socket.closed, socket.sent]).toEqual([{ code: 4401, reason: "auth/unauthorized" }, [POKE]]);
    });

    test("when nobody can say, it comes again", async () => {
      const socket = open("a", { renew: () => Promise.reject(new TypeError("no database")) });
      await env.advance(later);
      hub.poke(all);
      await env.advance(0);
      expect(socket.closed).toEqual({ code: 1012, reason: "server/retry" });
    });

    test("few are asked at one time", async () => {
      let running = 0;
      let most = 0;
      const renew = async () => {
        most = Math.max(most, (running += 1));
        await Promise.resolve();
        running -= 1;
        return yes;
      };
      const sockets = Array.from({ length: 100 }, (_, i) => open(`c${i}`, { renew }));
      await env.advance(later);
      hub.poke(all);
      await env.advance(0);
      expect(most).toBe(limits.socketRenewalsMax);
      expect(sockets.every(({ sent }) => sent.length === 1)).toBe(true);
    });
  });

  test("sockets that outlived the hub are members again, and nothing is told of it", async () => {
    const [ada, grace] = [enter("ada", 1), enter("grace", 2)];
    const mute = open("mute");
    await env.advance(1000);
    for (const socket of [ada, grace]) socket.news();
    hub = new Hub({ env });
    hub.wake([ada, grace, mute, createTestSocket()]);
    await env.advance(1000);
    expect([ada.news(), grace.news(), hub.size]).toEqual([[], [], 3]);
    say(ada, { type: "presence", userInfo: 3 });
    await env.advance(1000);
    expect(grace.news()).toEqual([delta([put("ada", 3)])]);
    say(mute, { type: "hello" });
    expect(mute.news()).toEqual([list(put("ada", 3), put("grace", 2))]);
    hub.poke(all);
    expect(ada.news()).toContainEqual(poke);
  });

  test("a member whose leaving woke the hub is told to be gone", async () => {
    const [ada, grace] = [enter("ada", 1), enter("grace", 2)];
    await env.advance(1000);
    ada.news();
    hub = new Hub({ env });
    hub.wake([ada]);
    hub.leave(grace, 1000);
    await env.advance(1000);
    expect(ada.news()).toEqual([delta([], ["grace"])]);
  });

  test("after a wake the windows of one member that show different things are told anew, and right when one closes", async () => {
    const watcher = enter("w", 0);
    const [first, second] = [enter("ada", 1), enter("ada", 2)];
    say(first, { type: "presence", userInfo: 3 });
    await env.advance(1000);
    expect(membersKnownTo(watcher)).toEqual({ w: 0, ada: 3 });
    hub = new Hub({ env });
    hub.wake([watcher, first, second]);
    await env.advance(1000);
    hub.leave(first, 1000);
    await env.advance(1000);
    expect(membersKnownTo(watcher)).toEqual({ w: 0, ada: 2 });
  });

  test("what the platform tells of a socket that the hub closed changes nothing", async () => {
    const [bad, watcher] = [enter("bad", 1), enter("w", 0)];
    await env.advance(1000);
    hub.receive(bad, new ArrayBuffer(1));
    hub.leave(bad, 1003);
    await env.advance(1000);
    expect(membersKnownTo(watcher)).toEqual({ w: 0 });
  });

  test("a clock that is set back holds no presence back, and lets no right live longer", async () => {
    const skew = { ms: 0 };
    hub = new Hub({ env: { ...env, now: () => env.now() + skew.ms } });
    const asked: string[] = [];
    const renew = async (): Promise<Renewal> => (asked.push("ada"), { ok: false, code: 4401, reason: "auth" });
    const ada = enter("ada", 1, { renew });
    const dead = enter("dead");
    await env.advance(1000);
    skew.ms = -3_600_000;
    say(dead, { type: "presence", userInfo: 2 });
    await env.advance(2 * limits.presenceTickMs);
    expect(asked, "how old the right is nobody knows").toEqual(["ada"]);
    expect(ada.closed?.code).toBe(4401);
    const grace = enter("grace");
    for (let ms = 0; ms < limits.socketSilenceMsMax + 2 * limits.socketSweepMs; ms += 10_000) {
      await env.advance(10_000);
      hub.receive(grace, "ping");
    }
    say(grace, { type: "presence", userInfo: 3 });
    await env.advance(limits.presenceTickMs);
    expect(membersKnownTo(grace)).toEqual({ grace: 3 });
  });

  test("a member that died while the hub was not in memory expires, one that pings does not", async () => {
    const [dead, alive] = [enter("dead", 1), enter("alive", 1)];
    await env.advance(limits.socketSilenceMsMax);
    alive.pingAt = env.now();
    await env.advance(1000);
    hub = new Hub({ env, sweepMs: null });
    hub.wake([dead, alive]);
    hub.sweep();
    expect([dead.closed?.reason, alive.closed, hub.hasMembers]).toEqual(["limit/silence", null, true]);
  });

  test("there is a most of sockets", () => {
    for (let i = 0; i < limits.hubSocketsMax; i++) open(null);
    const tooMany = open(null);
    expect([tooMany.closed?.code, hub.size]).toEqual([1012, limits.hubSocketsMax]);
  });
});
