// Owns: `npm run soak:pokes -- --sockets 1000`: what it costs a server to tell many sockets of one change: processor time and
// statements of a poke with patches, without rules, with rules over rows, and with rules that look into other tables; beside
// as many pulls, which is what plain pokes cause.

import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { systemEnv } from "../../packages/plasma-sync/src/core/lib/env.ts";
import { fromNodeSqlite } from "../../packages/plasma-sync/src/server/database/from-node-sqlite.ts";
import type { SqlExecutor } from "../../packages/plasma-sync/src/server/database/sql-executor.ts";
import { createSyncHandler } from "../../packages/plasma-sync/src/server/handler.ts";
import { checkHandlerOptions, type SyncHandlerOptions } from "../../packages/plasma-sync/src/server/handler-options.ts";
import { ensureSchema } from "../../packages/plasma-sync/src/server/migration/ensure-schema.ts";
import { createTestSocket, identityOf } from "../../packages/plasma-sync/src/server/realtime/hub-socket.fixture.ts";
import { Hub } from "../../packages/plasma-sync/src/server/realtime/hub.ts";
import { PokePatches } from "../../packages/plasma-sync/src/server/realtime/poke-patches.ts";
import { hooked } from "../../packages/plasma-sync/src/server/sync/memory-database-node.fixture.ts";
import { ruleSchema } from "../../packages/plasma-sync/src/server/sync/rules.fixture.ts";
import { authOf, mutators, RawClient, schema } from "../../packages/plasma-sync/src/server/sync/sync-server.fixture.ts";

const { values } = parseArgs({ options: { sockets: { type: "string", default: "1000" } } });
const sockets = Number(values.sockets);
const ROUNDS = 10;
const PULLED_ROUNDS = 2;

interface Case {
  readonly name: string;
  readonly schema: SyncHandlerOptions["schema"];
  readonly setUp: readonly string[];
  readonly change: (round: number) => string;
  /** How many people the sockets belong to. */
  readonly people: number;
}

const members = (count: number) =>
  Array.from({ length: count }, (_, i) => `INSERT INTO members VALUES ('m${i}', 'l1', 'u${i}', 1)`);
const todo = (round: number) => `INSERT INTO todos VALUES ('t${round}', 'l1', 'do', 0)`;
const list = "INSERT INTO lists VALUES ('l1', 'list', NULL, 0)";

const cases: readonly Case[] = [
  {
    name: "no rules",
    schema,
    setUp: [],
    change: (round) => `INSERT INTO posts VALUES ('p${round}', 'body')`,
    people: sockets,
  },
  {
    name: "a rule over the row",
    schema,
    setUp: [],
    change: (round) =>
      `INSERT INTO notes (id, title, "ownerId", shared, rank) VALUES ('n${round}', 'title', 'x', 1, 0)`,
    people: sockets,
  },
  { name: "exists(), 20 people", schema: ruleSchema, setUp: [list, ...members(20)], change: todo, people: 20 },
  {
    name: "exists(), all different",
    schema: ruleSchema,
    setUp: [list, ...members(sockets)],
    change: todo,
    people: sockets,
  },
];

interface Cost {
  readonly ms: number;
  readonly statements: number;
}

async function measure({ schema: tables, setUp, change, people }: Case) {
  let statements = 0;
  const database = fromNodeSqlite(new DatabaseSync(":memory:"));
  const executor: SqlExecutor = hooked(database, (when, text) => {
    if (when === "before") statements += text.split("; ").length;
  });
  const options = {
    schema: tables,
    mutators,
    executor,
    schemaVersion: "1",
    auth: authOf,
  } as unknown as SyncHandlerOptions;
  await ensureSchema({ schema: tables, executor });
  for (const text of setUp) await database.run({ text, params: [] });
  const handle = createSyncHandler(options);
  const patches = new PokePatches(checkHandlerOptions(options));
  const hub = new Hub({ env: systemEnv, sweepMs: null, deliver: (listeners) => void patches.deliver(listeners) });
  // A cookie says where in the log its reader is, not who it is.
  const first = new RawClient({ handle }, { user: "u0", clientID: "c0", replicaID: "r0" });
  await first.pull();
  const clients = Array.from({ length: sockets }, (_, i) => {
    const user = `u${i % people}`;
    const client = new RawClient({ handle }, { user, clientID: `c${i}`, replicaID: `r${i}` });
    client.cookie = first.cookie;
    const socket = createTestSocket();
    const identity = identityOf(`c${i}`, { clientGroupID: user, replicaID: `r${i}` });
    hub.join(socket, { identity, auth: { ok: true, clientGroupID: user, ctx: { userId: user } }, renew: null });
    hub.receive(socket, JSON.stringify({ type: "hello", cookie: client.cookie }));
    socket.news();
    return { client, socket };
  });
  let patched = 0;
  const poked = await cost(ROUNDS, async (round) => {
    await database.run({ text: change(round), params: [] });
    hub.poke({ rooms: null, origin: null });
    await patches.deliver([]);
    for (const { socket } of clients) patched += socket.news().filter(({ patch }) => patch !== undefined).length;
  });
  const pulled = await cost(PULLED_ROUNDS, async (round) => {
    await database.run({ text: change(ROUNDS + round), params: [] });
    for (const { client } of clients) await client.pullPage();
  });
  return { poked, pulled, patched: patched / ROUNDS };

  async function cost(rounds: number, run: (round: number) => Promise<void>): Promise<Cost> {
    statements = 0;
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round++) await run(round);
    const { user, system } = process.cpuUsage(before);
    return { ms: (user + system) / 1000 / rounds, statements: statements / rounds };
  }
}

console.log(`${sockets} sockets, one change: processor time and statements, mean of ${ROUNDS}`);
for (const each of cases) {
  const { poked, pulled, patched } = await measure(each);
  const text = ({ ms, statements }: Cost) => `${ms.toFixed(1)} ms, ${statements.toFixed(0)} statements`;
  console.log(
    `${each.name.padEnd(26)} poke: ${text(poked)}, ${patched} with the patch; as many pulls: ${text(pulled)}`,
  );
}
