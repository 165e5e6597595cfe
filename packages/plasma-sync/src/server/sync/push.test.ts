import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { fromBetterSqlite3 } from "../database/from-better-sqlite3.ts";
import * as limits from "../../core/limits.ts";
import { batchOnly, memoryDatabase } from "./memory-database-node.fixture.ts";
import { describePush } from "./push.suite.ts";
import { mutation, RawClient, startServer } from "./sync-server.fixture.ts";
import type { PlasmaMetric } from "./sync-server-error.ts";

describePush("node:sqlite", memoryDatabase);
describePush("better-sqlite3", () => fromBetterSqlite3(new Database(":memory:")));
describePush("an engine without transactions", () => batchOnly(memoryDatabase()));

const ada = { user: "ada", clientID: "c1", replicaID: "r1" };

test("a push that fills its transaction answers for a prefix, and the client goes on from there", async () => {
  const server = startServer({ ...batchOnly(memoryDatabase()), pushStatementsMax: 20 });
  const client = new RawClient(server, ada);
  const outbox = Array.from({ length: 10 }, (_, i) => mutation(i + 1, "addNote", { id: `n${i}` }));
  const sizes: number[] = [];
  while (outbox.length > 0) {
    const { json } = await client.push(...outbox);
    sizes.push(json.results.length);
    expect(json.lastMutationIDs).toEqual({ c1: json.results.at(-1)?.id });
    outbox.splice(0, json.results.length);
  }
  expect(sizes.length).toBeGreaterThan(1);
  expect(sizes.every((size) => size > 0)).toBe(true);
  expect((await server.dump())["notes"]).toHaveLength(10);
});

test("pushes that meet run again, and each takes effect once", async () => {
  const metrics: PlasmaMetric[] = [];
  const server = startServer(batchOnly(memoryDatabase()), { onMetric: (metric) => void metrics.push(metric) });
  const clients = ["ada", "grace", "alan"].map(
    (user) => new RawClient(server, { user, clientID: `${user}1`, replicaID: user }),
  );
  const answers = await Promise.all(
    clients.flatMap((client) => [1, 2].map(() => client.push(mutation(1, "addNote", { id: client.identity.user })))),
  );
  const statuses = answers
    .map(({ json }) => json.results[0]?.status)
    .sort((a, b) => String(a).localeCompare(String(b)));
  expect(statuses).toEqual(["applied", "applied", "applied", "duplicate", "duplicate", "duplicate"]);
  expect((await server.dump())["notes"]).toHaveLength(3);
  expect(metrics.some((metric) => metric.type === "push" && metric.guardConflicts > 0)).toBe(true);
});

test("a push that is disturbed every time is answered 503, and its metric says how often", async () => {
  const metrics: PlasmaMetric[] = [];
  const executor = batchOnly(memoryDatabase());
  const server = startServer(
    {
      ...executor,
      batch: async (statements) => {
        if (statements.some(({ text }) => text.startsWith("INSERT INTO _plasma_guard")))
          await executor.run({
            text: "INSERT INTO notes (id, title, ownerId, shared, rank) VALUES (hex(randomblob(9)), '', '', 0, 0)",
            params: [],
          });
        return executor.batch(statements);
      },
    },
    { onMetric: (metric) => void metrics.push(metric) },
  );
  const client = new RawClient(server, ada);
  await client.pull();
  metrics.length = 0;
  expect((await client.push(mutation(1, "addNote", { id: "n1" }))).status).toBe(503);
  expect(metrics).toMatchObject([
    { ok: false, status: 503, applied: 0, guardConflicts: limits.pushGuardRetriesMax + 1 },
  ]);
});
