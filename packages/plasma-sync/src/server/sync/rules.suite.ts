// What read rules that look into other tables owe on every engine: whatever is written in between, and in pages of any size,
// a client ends with what its person may see, and is never told of a row that they never saw; and what a poke brings is what a
// pull would have answered.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eq } from "../../core/query/expressions.ts";
import { systemEnv } from "../../core/lib/env.ts";
import type { PatchOp } from "../../core/protocol/pull.ts";
import type { Db } from "../../core/query/db.ts";
import type { AnyTable } from "../../core/schema/table.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { checkHandlerOptions } from "../handler-options.ts";
import { createTestSocket, identityOf, type TestSocket } from "../realtime/hub-socket.fixture.ts";
import { Hub } from "../realtime/hub.ts";
import { PokePatches } from "../realtime/poke-patches.ts";
import { createServerDb } from "../server-db.ts";
import { ruleSchema, visibleTo, type PlainRow, type PlainTables } from "./rules.fixture.ts";
import { authOf, mutators, RawClient, startServer, type TestServer } from "./sync-server.fixture.ts";

const USERS = ["ada", "grace"] as const;
const ids = (prefix: string, count: number) => fc.nat(count - 1).map((n) => `${prefix}${n}`);
const user = fc.constantFrom(...USERS, "alan");
const list = ids("l", 3);
const org = ids("o", 2);
const todo = ids("t", 4);

/** Few ids, so that writes meet; values are made unique when they are written. */
const rows: { readonly [table: string]: fc.Arbitrary<PlainRow> } = {
  lists: fc.record({
    id: list,
    name: fc.constant("?"),
    orgId: fc.option(org, { nil: null }),
    isPublic: fc.constantFrom(false, false, true),
  }),
  members: fc.record({ id: ids("m", 6), listId: list, userId: user, weight: fc.nat(9) }),
  orgMembers: fc.record({ id: ids("om", 3), orgId: org, userId: user }),
  todos: fc.record({ id: todo, listId: list, title: fc.constant("?"), hidden: fc.constantFrom(false, false, true) }),
  comments: fc.record({ id: ids("c", 4), todoId: todo, body: fc.constant("?") }),
  blocks: fc.record({ id: ids("b", 2), userId: user }),
  notices: fc.record({ id: ids("n", 3), body: fc.constant("?") }),
  audits: fc.record({ id: ids("a", 3), orgId: org, body: fc.constant("?") }),
  drafts: fc.record({ id: ids("d", 3), ownerId: user, body: fc.constant("?") }),
};
/** Memberships change most, then what they show. */
const weights: { readonly [table: string]: number } = { members: 9, todos: 4, comments: 2, lists: 2 };
const written = fc.oneof(
  ...Object.entries(rows).map(([table, row]) => ({
    weight: weights[table] ?? 1,
    arbitrary: fc.record({ table: fc.constant(table), row, isGone: fc.boolean() }),
  })),
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("write" as const),
      list: fc.array(written, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("page" as const),
      who: fc.constantFrom(...USERS),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("catch up" as const), who: fc.constantFrom(...USERS) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("poke" as const) }) },
);

/** Something to see from the start: three lists with todos, whose comments have something to lose. */
const furniture: readonly Written[] = [
  ...[0, 1, 2].map((n) => ({ table: "lists", row: { id: `l${n}`, name: "?", orgId: "o0", isPublic: false } })),
  ...[0, 1, 2, 3].map((n) => ({
    table: "todos",
    row: { id: `t${n}`, listId: `l${n % 3}`, title: "?", hidden: false },
  })),
  ...[0, 1, 2, 3].map((n) => ({ table: "comments", row: { id: `c${n}`, todoId: `t${n}`, body: "?" } })),
  { table: "notices", row: { id: "n0", body: "?" } },
  { table: "audits", row: { id: "a0", orgId: "o0", body: "?" } },
].map((write) => ({ ...write, isGone: false }));

interface Written {
  readonly table: string;
  readonly row: PlainRow;
  readonly isGone: boolean;
}

class World {
  readonly server: TestServer;
  readonly #db: Db;
  readonly #clients = new Map<string, RawClient>();
  /** Everything that a person could see at some moment: rows as text, and names of rows. */
  readonly #everSeen = new Map<string, Set<string>>(USERS.map((name) => [name, new Set<string>()]));
  readonly #tables = new Map<string, Map<string, PlainRow>>();
  readonly #sockets = new Map<string, TestSocket>();
  readonly #hub: Hub;
  readonly #patches: PokePatches;
  #writes = 0;
  /** Patches that clients took. */
  patchCount = 0;

  constructor(executor: SqlExecutor) {
    this.server = startServer(executor, { schema: ruleSchema });
    const options = { schema: ruleSchema, mutators, executor, schemaVersion: "1", auth: authOf };
    this.#patches = new PokePatches(checkHandlerOptions(options));
    this.#hub = new Hub({
      env: systemEnv,
      sweepMs: null,
      deliver: (listeners) => void this.#patches.deliver(listeners),
    });
    for (const name of USERS) {
      const identity = identityOf(name, { clientGroupID: name, replicaID: null });
      const socket = createTestSocket();
      this.#hub.join(socket, { identity, auth: { ok: true, clientGroupID: name, ctx: { userId: name } }, renew: null });
      this.#sockets.set(name, socket);
    }
    this.#db = createServerDb({ schema: ruleSchema, executor });
    for (const name of USERS) this.#clients.set(name, new RawClient(this.server, { user: name, clientID: name }));
  }

  clientOf(name: string): RawClient {
    return this.#clients.get(name) as RawClient;
  }

  async write({ table, row, isGone }: Written): Promise<void> {
    const target = ruleSchema.tables[table as keyof typeof ruleSchema.tables] as unknown as AnyTable & { id: never };
    const token = `secret ${(this.#writes += 1)}`;
    const values = Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value === "?" ? token : value]));
    const mirror = this.#tables.get(table) ?? new Map<string, PlainRow>();
    this.#tables.set(table, mirror);
    if (isGone) {
      await this.#db.delete(target).where(eq(target.id, row["id"] as never));
      mirror.delete(row["id"]);
    } else {
      const { id: _, ...set } = values;
      await this.#db
        .insert(target)
        .values(values as never)
        .onConflictDoUpdate({ set });
      mirror.set(row["id"], values);
    }
    for (const name of USERS)
      for (const [key, seen] of visibleTo(name, this.tables)) this.#everSeen.get(name)?.add(key).add(textOf(key, seen));
  }

  get tables(): PlainTables {
    return Object.fromEntries([...this.#tables].map(([name, mirror]) => [name, [...mirror.values()]]));
  }

  /** One page; whatever it tells, its person could see at some moment. */
  async page(name: string, limit?: number): Promise<boolean> {
    const { status, json } = await this.clientOf(name).pullPage(limit);
    expect(status).toBe(200);
    this.#expectSeen(name, json.patch);
    if (json.hasMore !== true) this.#say(name, { type: "cookie", cookie: json.cookie });
    return json.hasMore === true;
  }

  /** Tells everybody that something has changed. A patch that fits its client is what a pull would answer, and is the rest. */
  async poke(): Promise<void> {
    this.#hub.poke({ rooms: null, origin: null });
    await this.#patches.deliver([]);
    for (const name of USERS) {
      const client = this.clientOf(name);
      for (const { type, patch } of (this.#sockets.get(name) as TestSocket).news()) {
        expect(type).toBe("poke");
        if (patch === undefined || patch.from !== client.cookie) continue;
        const { from, ...page } = patch;
        const twin = new RawClient(this.server, client.identity);
        twin.cookie = from;
        expect((await twin.pullPage()).json).toEqual(page);
        this.#expectSeen(name, page.patch);
        client.apply(page);
        this.#expectWhole(name);
        this.patchCount += 1;
      }
    }
  }

  #expectSeen(name: string, patch: readonly PatchOp[]): void {
    const seen = this.#everSeen.get(name);
    for (const op of patch) {
      if (op.op === "clear") continue;
      const key = `${op.table}/${op.id}`;
      expect(seen).toContain(op.op === "put" ? textOf(key, op.value) : key);
    }
  }

  #say(name: string, frame: object): void {
    this.#hub.receive(this.#sockets.get(name) as TestSocket, JSON.stringify(frame));
  }

  async catchUp(name: string, limit?: number): Promise<void> {
    for (let pages = 0; await this.page(name, limit); pages++) expect(pages).toBeLessThan(500);
    this.#expectWhole(name);
  }

  #expectWhole(name: string): void {
    const expected = [...visibleTo(name, this.tables)].map(([key, row]) => textOf(key, row));
    const held = [...this.clientOf(name).rows].map(([key, row]) => textOf(key, row));
    expect(held.sort()).toEqual(expected.sort());
  }
}

const textOf = (key: string, row: PlainRow): string =>
  `${key} ${JSON.stringify(
    Object.keys(row)
      .sort()
      .map((column) => [column, row[column]]),
  )}`;

export function rulesSuite(name: string, open: () => Promise<SqlExecutor>, { runs }: { readonly runs: number }): void {
  describe(`rules that look into other tables: ${name}`, { timeout: 120_000 }, () => {
    const start = async () => {
      const executor = await open();
      await ensureSchema({ schema: ruleSchema, executor });
      return new World(executor);
    };
    const member = (id: string, listId: string, userId: string, isGone = false) => ({
      table: "members",
      row: { id, listId, userId, weight: 1 },
      isGone,
    });
    const todoIn = (id: string, listId: string) => ({
      table: "todos",
      row: { id, listId, title: "?", hidden: false },
      isGone: false,
    });

    test("a membership that comes brings its list's rows, one that goes takes them, and nothing else moves", async () => {
      const world = await start();
      for (const id of ["t0", "t1"]) await world.write(todoIn(id, "l0"));
      await world.write(todoIn("t2", "l1"));
      await world.catchUp("ada");
      await world.write(member("m0", "l0", "ada"));
      await world.page("ada");
      const ada = world.clientOf("ada");
      expect([...ada.rows.keys()].sort()).toEqual(["members/m0", "todos/t0", "todos/t1"]);
      await world.write(member("m1", "l0", "grace"));
      expect((await ada.pull()).map((op) => op.op === "put" && op.id)).toEqual(["m1"]);
      await world.write(member("m0", "l0", "ada", true));
      const gone = await ada.pull();
      expect(gone.map((op) => op.op !== "clear" && `${op.op} ${op.id}`)).toEqual([
        "del m0",
        "del m1",
        "del t0",
        "del t1",
      ]);
      await world.write(todoIn("t3", "l0"));
      await world.write({ ...todoIn("t0", "l0"), isGone: true });
      expect(await ada.pull()).toEqual([]);
    });

    test("a row that moves into a list which its reader has just left is not mentioned", async () => {
      const world = await start();
      await world.write(todoIn("t0", "l1"));
      await world.write(member("m0", "l0", "ada"));
      await world.catchUp("ada");
      await world.write(member("m0", "l0", "ada", true));
      await world.write(todoIn("t0", "l0"));
      const { text } = await world.clientOf("ada").pullPage();
      expect(text).not.toContain("t0");
    });

    test("many rows that move at once come in pages, and a page asked again gives the same", async () => {
      const world = await start();
      const count = 25;
      for (let i = 0; i < count; i++) await world.write(todoIn(`t${i}`, "l0"));
      await world.catchUp("ada");
      await world.write(member("m0", "l0", "ada"));
      await world.write(todoIn("t3", "l0"));
      const ada = world.clientOf("ada");
      let pages = 0;
      for (let hasMore = true; hasMore; pages++) {
        const { cookie } = ada;
        const first = await ada.pullPage(4);
        ada.cookie = cookie;
        const again = await ada.pullPage(4);
        expect(again.json.patch).toEqual(first.json.patch);
        expect(first.json.patch.length).toBeLessThanOrEqual(4);
        hasMore = again.json.hasMore === true;
      }
      expect(pages).toBeGreaterThan(count / 4);
      expect([...ada.rows.keys()].filter((key) => key.startsWith("todos/"))).toHaveLength(count);
      // Meanwhile more happens: parts of one page stay the page that they were, and the next takes up the rest.
      await world.write(member("m0", "l0", "ada", true));
      await world.page("ada", 4);
      await world.write(todoIn("t9", "l1"));
      await world.write(member("m1", "l1", "ada"));
      await world.catchUp("ada", 4);
    });

    test("whatever is written in between, clients see what they may and are never told more", async () => {
      let patches = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
          const world = await start();
          for (const write of furniture) await world.write(write);
          for (const action of steps) {
            if (action.type === "write") for (const one of action.list) await world.write(one);
            else if (action.type === "page") await world.page(action.who, action.limit);
            else if (action.type === "poke") await world.poke();
            else await world.catchUp(action.who);
          }
          for (const name of USERS) await world.catchUp(name, 3);
          for (const action of steps)
            if (action.type === "write") for (const one of action.list) await world.write(one);
          await world.poke();
          for (const name of USERS) await world.catchUp(name, 3);
          patches += world.patchCount;
        }),
        { numRuns: runs, seed: 1 },
      );
      // Counted, so the seed is one that has them: a run without any would show nothing.
      expect(patches).toBeGreaterThan(runs);
    });
  });
}
