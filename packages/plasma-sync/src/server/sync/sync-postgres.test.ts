// The sync server on a real Postgres.

import { expect, test } from "vitest";
import { dumpDatabase } from "../database/database-dump.fixture.ts";
import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import type { SqlConnection, SqlExecutor } from "../database/sql-executor.ts";
import { describeFaults } from "./faults.suite.ts";
import { describePush } from "./push.suite.ts";
import { serialOrderSuite } from "./serial-order.suite.ts";
import { mutation, RawClient, startServer } from "./sync-server.fixture.ts";

const postgres = usePostgres();
const open = async () => fromPostgres(await postgres.open());

describePush("postgres", open);
describeFaults("postgres", open);
serialOrderSuite(
  "postgres",
  async () => {
    const handle = await postgres.open();
    return [fromPostgres(handle), fromPostgres(postgres.again(handle))];
  },
  { runs: 15 },
);

/** Ends the connection of a push before its `at`-th statement, by another connection; counts the statements. */
function killing(executor: SqlExecutor, other: SqlExecutor) {
  const kill = { at: 0, count: 0 };
  const around = (connection: SqlConnection): SqlConnection => {
    // One after another: what is pipelined behind the end must not be sent before it.
    let tail: Promise<unknown> = Promise.resolve();
    const all: SqlConnection["all"] = (statement) => {
      const answer = tail.then(async () => {
        kill.count += 1;
        if (kill.count === kill.at) await terminate(connection, other);
        return connection.all(statement);
      });
      tail = answer.catch(() => undefined);
      return answer;
    };
    return { all, run: async (statement) => void (await all(statement)) };
  };
  const transaction: SqlExecutor["transaction"] = (fn) => executor.transaction((connection) => fn(around(connection)));
  return { kill, executor: { ...executor, transaction } };
}

async function terminate(connection: SqlConnection, other: SqlExecutor): Promise<void> {
  const [row] = await connection.all({ text: "SELECT pg_backend_pid() AS pid", params: [] });
  const pid = row?.["pid"] as number;
  await other.run({ text: "SELECT pg_terminate_backend($1::int)", params: [pid] });
  const isThere = { text: "SELECT 1 AS x FROM pg_stat_activity WHERE pid = $1::int", params: [pid] };
  while ((await other.all(isThere)).length > 0) await other.all(isThere);
}

test("a push that loses its connection at any statement answers 503 and keeps nothing; sent again it applies once", async () => {
  const handle = await postgres.open();
  const other = fromPostgres(postgres.again(handle, { max: 1 }));
  const { kill, executor } = killing(fromPostgres(handle), other);
  const server = startServer(executor);
  const client = new RawClient(server, { user: "ada", clientID: "c1", replicaID: "r1" });
  await client.push(mutation(1, "addNote", { id: "n0" }));
  let losses = 0;
  let nextID = 2;
  for (let at = 1; ; at++) {
    const body = [
      mutation(nextID, "addNote", { id: `n${at}` }),
      mutation(nextID + 1, "setNote", { id: `n${at}`, title: "two" }),
    ];
    const before = await dumpDatabase(other);
    Object.assign(kill, { at, count: 0 });
    const { status, json } = await client.push(...body);
    if (kill.count < at) {
      expect(json.results.map((result) => result.status)).toEqual(["applied", "applied"]);
      break;
    }
    losses += 1;
    expect([at, status, (json as { readonly code?: unknown }).code]).toEqual([at, 503, "server/retry"]);
    expect(await dumpDatabase(other)).toEqual(before);
    Object.assign(kill, { at: 0 });
    // Until the package has noticed, what comes next may be given the dead connection too.
    let again = await client.push(...body);
    for (let tries = 0; again.status === 503 && tries < 10; tries++) again = await client.push(...body);
    expect(again.json.results.map((result) => result.status)).toEqual(["applied", "applied"]);
    nextID += 2;
  }
  expect(losses).toBeGreaterThan(10);
}, 60_000);
