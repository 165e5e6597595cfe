// Sockets that come, speak, go, break, are cut off and sleep, in any order: what clients know in the end is what is so, and
// nothing is left behind.

import fc from "fast-check";
import { expect, test } from "vitest";
import { createVirtualEnv, type VirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import { createTestSocket, identityOf, type TestSocket } from "./hub-socket.fixture.ts";
import { Hub } from "./hub.ts";

const ROOMS = ["red", "blue"];

interface Client {
  readonly socket: TestSocket;
  readonly room: string;
  readonly clientID: string;
  /** What it shows, as far as the hub let it; undefined before it said hello. */
  shows: unknown;
}

type Step =
  | { readonly do: "open"; readonly room: number; readonly client: number }
  | { readonly do: "say"; readonly at: number; readonly userInfo: unknown }
  | { readonly do: "leave"; readonly at: number; readonly code: number }
  | { readonly do: "junk"; readonly at: number; readonly data: unknown }
  | { readonly do: "poke" }
  | { readonly do: "restart" }
  | { readonly do: "wait"; readonly ms: number };

const at = fc.nat(30);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("open" as const), room: fc.nat(1), client: fc.nat(5) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("say" as const), at, userInfo: fc.jsonValue({ maxDepth: 1 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("leave" as const), at, code: fc.constantFrom(1000, 1001, 1005, 1006) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("junk" as const),
      at,
      data: fc.oneof(fc.string(), fc.json(), fc.uint8Array()),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: "poke" }, { do: "restart" }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(0, 10, 60, 1000, 6000, 301_000) }),
  },
);

class World {
  readonly env: VirtualEnv = createVirtualEnv();
  readonly clients: Client[] = [];
  hub = new Hub({ env: this.env });

  async run(it: Step): Promise<void> {
    if (it.do === "open") return this.#open(ROOMS[it.room]!, `client-${it.client}`);
    if (it.do === "poke") return this.hub.poke({ rooms: null, origin: null });
    if (it.do === "restart") return this.#restart();
    if (it.do === "wait") return this.#wait(it.ms);
    const client = this.clients[it.at % Math.max(1, this.clients.length)];
    if (client === undefined) return;
    if (it.do === "leave") return this.#leave(client, it.code);
    if (it.do === "junk") return this.hub.receive(client.socket, it.data);
    this.hub.receive(client.socket, JSON.stringify({ type: "hello", userInfo: it.userInfo }));
    // As it travels: without negative zeros.
    if (client.socket.closed === null) client.shows = JSON.parse(JSON.stringify(it.userInfo));
  }

  open(): Client[] {
    return this.clients.filter(({ socket }) => socket.closed === null);
  }

  /** Time passes, and clients ping as real ones do. */
  async #wait(ms: number): Promise<void> {
    for (let left = ms; left >= 0; left -= 25_000) {
      for (const { socket } of this.open()) this.hub.receive(socket, "ping");
      await this.env.advance(Math.min(left, 25_000));
    }
  }

  #open(room: string, clientID: string): void {
    const socket = createTestSocket();
    const renew = () => Promise.resolve({ ok: true, auth: { ok: true, clientGroupID: "g", ctx: {} } } as const);
    this.hub.join(socket, { identity: identityOf(clientID, { room }), auth: null, renew });
    this.clients.push({ socket, room, clientID, shows: undefined });
  }

  #leave(client: Client, code: number): void {
    client.socket.close(code, "");
    this.hub.leave(client.socket, code);
  }

  /** The hub leaves memory, as an object does when nothing holds it: after all ticks. */
  async #restart(): Promise<void> {
    await this.#wait(limits.presenceGraceMs + 1000);
    this.hub = new Hub({ env: this.env });
    for (const { socket } of this.open()) socket.pingAt = this.env.now();
    this.hub.wake(this.open().map(({ socket }) => socket));
  }
}

/** The members as a client knows them that applied all that came. */
function knownTo({ socket }: Client): Record<string, unknown> {
  const members = new Map<string, unknown>();
  for (const text of socket.sent.filter((sent) => sent !== "pong")) {
    const { type, entries = [], put = [], del = [] } = JSON.parse(text);
    if (type === "presence") members.clear();
    for (const { clientID, userInfo } of [...entries, ...put]) members.set(clientID, userInfo);
    for (const clientID of del) members.delete(clientID);
  }
  return Object.fromEntries(members);
}

test("in the end every member is known to all of its room, and nobody else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), async (steps) => {
      const world = new World();
      for (const it of steps) await world.run(it);
      await world.run({ do: "wait", ms: limits.presenceGraceMs + 1000 });
      for (const client of world.open().filter(({ shows }) => shows !== undefined)) {
        const there = world.open().filter(({ room, shows }) => room === client.room && (shows ?? null) !== null);
        expect(Object.keys(knownTo(client)).sort()).toEqual([...new Set(there.map(({ clientID }) => clientID))].sort());
        for (const [clientID, userInfo] of Object.entries(knownTo(client)))
          expect(there.filter((other) => other.clientID === clientID).map(({ shows }) => shows)).toContainEqual(
            userInfo,
          );
      }
      for (const { socket } of world.open()) world.hub.leave(socket, 1000);
      await world.env.advance(limits.presenceGraceMs);
      expect([world.hub.size, world.hub.hasMembers]).toEqual([0, false]);
    }),
    { numRuns: 40 },
  );
});
