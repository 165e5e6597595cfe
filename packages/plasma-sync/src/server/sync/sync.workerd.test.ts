// The sync server in the real Workers runtime, on D1 and on the storage of a Durable Object.

import { describe, expect, test } from "vitest";
import { describeCompaction } from "../change-log/compact-change-log.suite.ts";
import { describeSnapshotAsOf } from "../change-log/snapshot-as-of.suite.ts";
import { freshD1 } from "../database/d1.fixture.ts";
import { objectExecutor } from "../database/durable-object.fixture.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { describeServerLiveSelect } from "../server-live-select.suite.ts";
import { describePush } from "./push.suite.ts";
import { mutation, RawClient, startServer, type TestServer } from "./sync-server.fixture.ts";

const engines: readonly (readonly [name: string, freshDatabase: () => Promise<SqlExecutor>])[] = [
  ["D1", freshD1],
  ["a Durable Object", async () => objectExecutor()],
];

for (const [name, freshDatabase] of engines) {
  describePush(name, freshDatabase);
  describeCompaction(name, freshDatabase);
  describeSnapshotAsOf(name, freshDatabase);
  describeServerLiveSelect(name, freshDatabase);
}

const clientsOf = (server: TestServer) => ({
  ada: new RawClient(server, { user: "ada", clientID: "a1", replicaID: "ra" }),
  grace: new RawClient(server, { user: "grace", clientID: "g1", replicaID: "rg" }),
});

describe.each(engines)("on %s", (_, freshDatabase) => {
  test("rows, refusals and advances travel by pages too", async () => {
    const { ada, grace } = clientsOf(startServer(await freshDatabase()));
    await grace.pull();
    const { json } = await ada.push(
      mutation(1, "addNote", {
        id: "n1",
        shared: true,
        big: { $bigint: "9007199254740993" },
        bytes: { $bytes: "AAH/" },
        extra: { a: 1 },
      }),
      mutation(2, "addNote", { id: "n2", slug: "s" }),
      mutation(3, "addNote", { id: "n3", slug: "s" }),
      mutation(4, "addTag", { id: "t1", name: "t", noteId: "n1", ownerId: "ada" }),
    );
    expect(json.results.map(({ status, error }) => error?.code ?? status)).toEqual([
      "applied",
      "applied",
      "constraint/unique",
      "applied",
    ]);
    await ada.pull(2);
    expect([...ada.rows.keys()]).toEqual(["notes/n1", "notes/n2", "tags/t1"]);
    expect([ada.lastMutationIDs, ada.rejected]).toEqual([{ a1: 4 }, ["a1#3 constraint/unique"]]);
    await grace.pull(1);
    expect([...grace.rows.entries()]).toMatchObject([
      ["notes/n1", { big: "9007199254740993", bytes: "AAH/", extra: { a: 1 } }],
    ]);
    await ada.push(mutation(5, "setNote", { id: "n1", shared: false }), mutation(6, "delNote", { id: "n2" }));
    expect(await grace.pull()).toEqual([{ op: "del", table: "notes", id: "n1" }]);
    expect(await ada.pull()).toMatchObject([
      { op: "put", id: "n1" },
      { op: "del", id: "n2" },
    ]);
  });

  test("concurrent pushes, copies of one push among them, each take effect exactly once", async () => {
    const server = startServer(await freshDatabase());
    const { ada, grace } = clientsOf(server);
    await ada.pull();
    const rounds = 5;
    for (let round = 0; round < rounds; round++) {
      const mine = [
        mutation(2 * round + 1, "addNote", { id: `a${round}` }),
        mutation(2 * round + 2, "stamp", { id: `sa${round}` }),
      ];
      const hers = [
        mutation(2 * round + 1, "addNote", { id: `g${round}` }),
        mutation(2 * round + 2, "throwAfterWrite", { message: "No." }),
      ];
      const answers = await Promise.all([ada.push(...mine), grace.push(...hers), ada.push(...mine)]);
      for (let i = 0; i < answers.length; i++) {
        // A push that lost too often is told to come again.
        if (answers[i]?.status === 503) await (i === 1 ? grace.push(...hers) : ada.push(...mine));
        else expect(answers[i]?.status).toBe(200);
      }
      const statuses = answers.flatMap(({ json }) => json.results ?? []).map(({ status }) => status);
      expect(statuses.filter((status) => status === "applied")).toHaveLength(3);
    }
    const dump = await server.dump();
    expect(dump["notes"]).toHaveLength(2 * rounds);
    expect(dump["posts"]).toHaveLength(rounds);
    expect(dump["_plasma_client_mutations"]).toMatchObject([
      { client_id: "a1", last_mutation_id: 2 * rounds },
      { client_id: "g1", last_mutation_id: 2 * rounds },
    ]);
    const acks = (dump["_plasma_changes"] ?? []).filter((row) => (row as { op?: string }).op === "ack");
    expect(acks).toHaveLength(4 * rounds);
    await ada.pull(3);
    expect(ada.rows.size).toBe(2 * rounds);
  });
});
