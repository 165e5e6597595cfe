// Randomized: clients with different rights push, pull by pages of any size, lose answers and begin anew, while others and
// raw SQL change the same rows, and the log is compacted. Afterwards each client's rows are those that it may see, each mutation took effect exactly
// once, and nothing of a row that a client could never see was in any byte sent to it.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PushMutation } from "../../core/protocol/push.ts";
import { compactChangeLog } from "../change-log/compact-change-log.ts";
import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import { createServerDb } from "../server-db.ts";
import { batchOnly, memoryDatabase } from "./memory-database-node.fixture.ts";
import {
  maySee,
  mutation,
  notes,
  pullRequest,
  pushRequest,
  RawClient,
  schema,
  startServer,
  tags,
  type TestServer,
} from "./sync-server.fixture.ts";

const USERS = ["ada", "grace", "alan"];
const noteID = fc.integer({ min: 0, max: 5 }).map((n) => `n${n}`);
const write = fc.oneof(
  fc.record({ name: fc.constant("addNote"), args: fc.record({ id: noteID, shared: fc.boolean(), rank: fc.nat(9) }) }),
  fc.record({ name: fc.constant("setNote"), args: fc.record({ id: noteID, shared: fc.boolean(), rank: fc.nat(9) }) }),
  fc.record({ name: fc.constant("delNote"), args: fc.record({ id: noteID }) }),
  fc.record({
    name: fc.constant("addTag"),
    args: fc.record({
      id: noteID,
      name: fc.string({ maxLength: 3 }),
      noteId: noteID,
      ownerId: fc.constantFrom(...USERS),
      shared: fc.boolean(),
    }),
  }),
  fc.record({ name: fc.constant("setTag"), args: fc.record({ id: noteID, shared: fc.boolean() }) }),
  fc.record({ name: fc.constant("throwAfterWrite"), args: fc.record({ message: fc.constant("No.") }) }),
  fc.record({ name: fc.constant("stamp"), args: fc.constant(null) }),
);
const who = fc.nat(4);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("push" as const),
      who,
      writes: fc.array(write, { minLength: 1, maxLength: 4 }),
      isLost: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("page" as const),
      who,
      limit: fc.integer({ min: 1, max: 4 }),
      isLost: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("forget" as const), who }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("compact" as const), upTo: fc.nat(80) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("sql" as const),
      id: noteID,
      rank: fc.nat(99),
      owner: fc.constantFrom(...USERS),
    }),
  },
);

/** A client with an outbox, which sends what was not acknowledged again. */
class PushingClient extends RawClient {
  readonly outbox: PushMutation[] = [];
  made = 0;
  readonly #handle: TestServer["handle"];

  constructor(server: TestServer, index: number) {
    // Two clients of the first user are one replica; the others are alone.
    const user = USERS[index % 3] ?? "";
    super(server, { user, clientID: `c${index}`, replicaID: index === 3 ? "r0" : `r${index}` });
    this.#handle = server.handle;
  }

  async send(isLost: boolean): Promise<void> {
    if (isLost) return void (await this.#handle(pushRequest(this.identity, this.outbox)));
    const { json } = await this.push(...this.outbox);
    const last = json.lastMutationIDs[this.identity.clientID] ?? 0;
    while (this.outbox[0] !== undefined && this.outbox[0].id <= last) this.outbox.shift();
  }

  make({ name, args }: { name: string; args: unknown }): void {
    this.made += 1;
    const { clientID } = this.identity;
    this.outbox.push(mutation(this.made, name, name === "stamp" ? { id: `${clientID}#${this.made}` } : args));
  }

  async page(limit: number, isLost: boolean): Promise<void> {
    if (isLost) await this.#handle(pullRequest(this.identity, { cookie: this.cookie, limit: String(limit) }));
    else await this.pullPage(limit);
  }
}

async function expectConverged(executor: SqlExecutor, clients: readonly PushingClient[]): Promise<void> {
  const db = createServerDb({ schema, executor });
  const [allNotes, allTags] = [await db.select().from(notes), await db.select().from(tags)];
  const records = await executor.all({
    text: "SELECT client_id, last_mutation_id FROM _plasma_client_mutations",
    params: [],
  });
  const acks = await executor.all({
    text: "SELECT client_id, mutation_id, count(*) AS n FROM _plasma_changes WHERE op = 'ack' GROUP BY 1, 2",
    params: [],
  });
  expect(acks.filter((row) => Number(row["n"]) !== 1)).toEqual([]);
  for (const client of clients) {
    const { user, clientID } = client.identity;
    const seen = (rows: readonly { id: string; ownerId: string; shared: boolean }[], table: string) =>
      rows.filter((row) => maySee({ userId: user }, row)).map((row) => [`${table}/${row.id}`, row.shared, row.ownerId]);
    const own = [...client.rows]
      .filter(([key]) => !key.startsWith("posts/"))
      .map(([key, row]) => [key, row["shared"], row["ownerId"]]);
    expect(new Set(own.map(String))).toEqual(
      new Set([...seen(allNotes, "notes"), ...seen(allTags, "tags")].map(String)),
    );
    for (const note of allNotes)
      if (client.rows.has(`notes/${note.id}`))
        expect(client.rows.get(`notes/${note.id}`)).toMatchObject({ rank: note.rank });
    if (client.made > 0) expect(client.lastMutationIDs[clientID]).toBe(client.made);
    const record = records.find((row) => row["client_id"] === clientID);
    expect(Number(record?.["last_mutation_id"] ?? 0)).toBe(client.made);
  }
}

const postgres = usePostgres();

describe.each<[name: string, makeDatabase: () => SqlExecutor | Promise<SqlExecutor>, numRuns: number]>([
  ["node:sqlite", memoryDatabase, 80],
  ["an engine without transactions", () => batchOnly(memoryDatabase()), 40],
  ["postgres", async () => fromPostgres(await postgres.open()), 20],
])("on %s", (_, makeDatabase, numRuns) => {
  test("clients converge on what they may see, each mutation exactly once", { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const executor = await makeDatabase();
      const server = startServer(executor);
      const clients = [0, 1, 2, 3, 4].map((index) => new PushingClient(server, index));
      await server.handle(pullRequest({ user: "ada", clientID: "c0", replicaID: "r0" }));
      for (const s of steps) {
        if (s.type === "sql") {
          const text =
            `INSERT INTO notes (id, title, "ownerId", rank) VALUES (?1, '', ?2, ?3) ` +
            `ON CONFLICT (id) DO UPDATE SET rank = excluded.rank, "ownerId" = excluded."ownerId"`;
          await executor.run({ text: withPlaceholders(executor.dialect, text), params: [s.id, s.owner, s.rank] });
          continue;
        }
        if (s.type === "compact") {
          await compactChangeLog({ executor, safeUpToVersion: s.upTo });
          continue;
        }
        const client = clients[s.who] as PushingClient;
        if (s.type === "forget") client.cookie = undefined;
        else if (s.type === "page") await client.page(s.limit, s.isLost);
        else {
          for (const w of s.writes) client.make(w);
          await client.send(s.isLost);
        }
      }
      for (const client of clients) await client.send(false);
      for (const client of clients) await client.pull(3);
      await expectConverged(executor, clients);
    });
    await fc.assert(property, { numRuns });
  });

  test("writes between any two statements of a first sync leave the client right", { timeout: 120_000 }, async () => {
    const change = fc.record({
      id: fc.integer({ min: 0, max: 4 }).map((n) => `n${n}`),
      shared: fc.boolean(),
      does: fc.constantFrom("put", "put", "put", "delete", "delete", "compact"),
    });
    const property = fc.asyncProperty(
      fc.array(change, { maxLength: 8 }),
      fc.array(change, { maxLength: 25 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      async (before, during, limit, every) => {
        const inner = await makeDatabase();
        const apply = async ({ id, shared, does }: { id: string; shared: boolean; does: string }) => {
          if (does === "compact") return void (await compactChangeLog({ executor: inner, safeUpToVersion: 1e9 }));
          const isDelete = does === "delete";
          const [text, params] = isDelete
            ? ["DELETE FROM notes WHERE id = ?1", [id]]
            : [
                `INSERT INTO notes (id, title, "ownerId", shared) VALUES (?1, '', 'grace', ?2) ` +
                  "ON CONFLICT (id) DO UPDATE SET shared = excluded.shared",
                [id, Number(shared)],
              ];
          await inner.run({ text: withPlaceholders(inner.dialect, text), params });
        };
        let reads = 0;
        const left: typeof during = [];
        const interleave = async <T>(run: () => Promise<T>): Promise<T> => {
          const result = await run();
          const next = (reads += 1) % every === 0 ? left.shift() : undefined;
          if (next !== undefined) await apply(next);
          return result;
        };
        const server = startServer({
          ...inner,
          all: (s) => interleave(() => inner.all(s)),
          batch: (s) => interleave(() => inner.batch(s)),
        });
        await server.handle(pullRequest({ user: "ada", clientID: "c0" }));
        reads = 0;
        for (const c of before) await apply(c);
        left.push(...during);
        const client = new RawClient(server, { user: "ada", clientID: "c1", replicaID: "r1" });
        do await client.pull(limit);
        while (left.length > 0);
        await client.pull();
        const visible = await inner.all({ text: "SELECT id FROM notes WHERE shared ORDER BY id", params: [] });
        expect([...client.rows.keys()].sort()).toEqual(visible.map((row) => `notes/${String(row["id"])}`));
      },
    );
    await fc.assert(property, { numRuns: numRuns * 2 });
  });

  test("nothing of a row that its reader may not see is in any answer", async () => {
    const TOKEN = "hidden-7f3a";
    const server = startServer(await makeDatabase());
    const grace = new RawClient(server, { user: "grace", clientID: "g1", replicaID: "rg" });
    const ada = new RawClient(server, { user: "ada", clientID: "a1", replicaID: "ra" });
    await ada.pull();
    await grace.push(
      mutation(1, "addNote", {
        id: `${TOKEN}-id`,
        title: `${TOKEN}-title`,
        slug: `${TOKEN}-slug`,
        extra: { [`${TOKEN}-key`]: 1 },
      }),
    );
    await grace.push(mutation(2, "setNote", { id: `${TOKEN}-id`, title: `${TOKEN}-again` }));
    await ada.pull();
    await grace.push(
      mutation(3, "throwAfterWrite", { message: `${TOKEN}-message` }),
      mutation(4, "delNote", { id: `${TOKEN}-id` }),
    );
    await ada.pull(1);
    await grace.push(mutation(5, "addNote", { id: `${TOKEN}-id2`, slug: "taken" }));
    ada.cookie = undefined;
    await ada.pull(1);
    await ada.push(
      mutation(1, "addNote", { id: "mine", slug: "taken" }),
      mutation(2, "addTag", { id: "t", name: "t", noteId: "mine", ownerId: "ada" }),
    );
    await ada.push(mutation(9, "doNothing"));
    await ada.pull();
    expect(ada.bytes.length).toBeGreaterThan(8);
    const sent =
      ada.bytes.join("\n") +
      ada.bytes
        .join("\n")
        .replaceAll(/"c1:([\w-]+)"/g, (_all, cookie: string) => atob(cookie.replaceAll("-", "+").replaceAll("_", "/")));
    expect(sent).not.toContain(TOKEN);
  });
});
