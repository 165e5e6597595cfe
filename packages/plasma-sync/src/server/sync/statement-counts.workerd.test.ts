// What pushes and pulls cost the database where a round trip is dear: statements, and calls that carry them.

import { expect, test } from "vitest";
import { freshD1 } from "../database/d1.fixture.ts";
import { objectExecutor } from "../database/durable-object.fixture.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { mutation, RawClient, startServer } from "./sync-server.fixture.ts";

interface Cost {
  readonly statements: number;
  readonly calls: number;
}

function metered(executor: SqlExecutor) {
  const total = { statements: 0, calls: 0 };
  const charge = (statements: number) => {
    total.statements += statements;
    total.calls += 1;
  };
  const measured: SqlExecutor = {
    ...executor,
    all: (statement) => {
      charge(1);
      return executor.all(statement);
    },
    run: (statement) => {
      charge(1);
      return executor.run(statement);
    },
    batch: (statements) => {
      charge(statements.length);
      return executor.batch(statements);
    },
  };
  const costOf = async (act: () => Promise<unknown>): Promise<Cost> => {
    const before = { ...total };
    await act();
    return { statements: total.statements - before.statements, calls: total.calls - before.calls };
  };
  return { executor: measured, costOf };
}

/**
 * A push: one call that reads its start, one that commits (guard, end of origin, clients), per mutation a look-up of the id
 * and one of each unique value, and in the commit its origin, row and ack.
 */
const bounds: { readonly [what: string]: Cost } = {
  "push of 1 insert": { statements: 10, calls: 3 },
  "push of 100 inserts": { statements: 6 + 4 * 100, calls: 2 + 100 },
  "push of 1 insert with a unique value": { statements: 11, calls: 4 },
  "push of 100 inserts with a unique value": { statements: 6 + 5 * 100, calls: 2 + 2 * 100 },
  "push of duplicates": { statements: 3, calls: 1 },
  "pull of 202 changes": { statements: 2, calls: 1 },
  "pull of nothing": { statements: 2, calls: 1 },
  "first sync in one page": { statements: 8, calls: 5 },
};

const inserts = (firstID: number, count: number, name: string, args: (i: number) => object) =>
  Array.from({ length: count }, (_, i) => mutation(firstID + i, name, args(firstID + i)));

test.each([
  ["D1", freshD1],
  ["a Durable Object", async () => objectExecutor()],
] as const)("on %s a push costs few statements, a pull a fixed number", async (engine, freshDatabase) => {
  const { executor, costOf } = metered(await freshDatabase());
  const server = startServer(executor);
  const ada = new RawClient(server, { user: "ada", clientID: "c1", replicaID: "r1" });
  await ada.push(mutation(1, "addPost", { body: "the tables are made" }));
  await ada.pull();

  const costs: { [what: string]: Cost } = {};
  const measure = async (what: string, act: () => Promise<unknown>) => void (costs[what] = await costOf(act));
  await measure("push of 1 insert", () => ada.push(...inserts(2, 1, "addPost", (i) => ({ body: `${i}` }))));
  await measure("push of 100 inserts", () => ada.push(...inserts(3, 100, "addPost", (i) => ({ body: `${i}` }))));
  await measure("push of 1 insert with a unique value", () => ada.push(...inserts(103, 1, "addNote", note)));
  await measure("push of 100 inserts with a unique value", () => ada.push(...inserts(104, 100, "addNote", note)));
  await measure("push of duplicates", () => ada.push(...inserts(3, 100, "addPost", (i) => ({ body: `${i}` }))));
  await measure("pull of 202 changes", () => ada.pull());
  await measure("pull of nothing", () => ada.pull());
  const late = new RawClient(server, { user: "grace", clientID: "g1" });
  await measure("first sync in one page", () => late.pull(5000));

  const shown = Object.entries(costs).map(([what, { statements, calls }]) => `${what}: ${statements} in ${calls}`);
  console.log(`${engine}, statements in calls: ${shown.join(", ")}`);
  for (const [what, bound] of Object.entries(bounds)) {
    const { statements, calls } = costs[what] as Cost;
    expect([what, statements <= bound.statements, calls <= bound.calls]).toEqual([what, true, true]);
  }
});

const note = (i: number) => ({ id: `n${i}`, slug: `slug ${i}` });
