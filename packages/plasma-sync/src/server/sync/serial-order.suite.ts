// Owns: what concurrent pushes owe on every engine: the outcome is that of the mutations run one after another, in the order
// of the log. Every result, every row, every change that was logged.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { must } from "../../core/lib/assert.ts";
import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import { max, sum } from "../../core/query/aggregates.ts";
import { eq, inArray } from "../../core/query/expressions.ts";
import { id, int, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { createSyncHandler, type SyncHandler } from "../handler.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { createServerDb } from "../server-db.ts";
import { answerOf, mutation, pushRequest } from "./sync-server.fixture.ts";

const counters = table("counters", { id: id(), n: int() });
const items = table("items", { id: id(), slug: text().unique(), rank: int() });
const schema = defineSchema({ counters, items });

type Input<Args> = MutatorInput<typeof schema, unknown, Args>;
interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly by: number;
}

const mutators = defineMutators<typeof schema, unknown>()({
  /** Reads two rows, and writes what follows from both. */
  transfer: async ({ db, args: { from, to, by } }: Input<Transfer>) => {
    const found = await db
      .select()
      .from(counters)
      .where(inArray(counters.id, [from, to]));
    const numbers = new Map(found.map((row) => [row.id, row.n]));
    const [source, target] = [numbers.get(from) ?? 0, numbers.get(to) ?? 0];
    if (source < by) throw new RangeError(`${from} has ${source}, not ${by}.`);
    await db
      .update(counters)
      .set({ n: source - by })
      .where(eq(counters.id, from));
    await db
      .update(counters)
      .set({ n: target + by })
      .where(eq(counters.id, to));
  },
  /** Reads a range, and an absence. */
  append: async ({ db, args }: Input<{ readonly id: string; readonly slug: string }>) => {
    const [last] = await db.select({ rank: max(items.rank) }).from(items);
    await db.insert(items).values({ ...args, rank: (last?.rank ?? 0) + 1 });
  },
  rename: async ({ db, args }: Input<{ readonly id: string; readonly slug: string }>) => {
    await db.update(items).set({ slug: args.slug }).where(eq(items.id, args.id));
  },
  remove: async ({ db, args }: Input<{ readonly id: string }>) => {
    await db.delete(items).where(eq(items.id, args.id));
  },
  /** Reads a whole table, and writes to another. */
  note: async ({ db, args }: Input<{ readonly id: string }>) => {
    const [total] = await db.select({ ranks: sum(items.rank) }).from(items);
    await db
      .insert(counters)
      .values({ id: args.id, n: total?.ranks ?? 0 })
      .onConflictDoUpdate({ set: { n: total?.ranks ?? 0 } });
  },
});

const CLIENTS = 4;
/** A push that lost to others is sent again, as clients do. */
const ATTEMPTS_MAX = 100;

interface Call {
  readonly name: string;
  readonly args: unknown;
}
/** Per client, its pushes. */
type Work = readonly (readonly (readonly Call[])[])[];

const few = (prefix: string) => fc.integer({ min: 0, max: 3 }).map((n) => `${prefix}${n}`);
const callArbitrary: fc.Arbitrary<Call> = fc.oneof(
  fc.record({
    name: fc.constant("transfer"),
    args: fc.record({ from: few("c"), to: few("c"), by: fc.integer({ min: 1, max: 9 }) }),
  }),
  fc.record({ name: fc.constant("append"), args: fc.record({ id: few("i"), slug: few("s") }) }),
  fc.record({ name: fc.constant("rename"), args: fc.record({ id: few("i"), slug: few("s") }) }),
  fc.record({ name: fc.constant("remove"), args: fc.record({ id: few("i") }) }),
  fc.record({ name: fc.constant("note"), args: fc.record({ id: few("c") }) }),
);
const pushArbitrary = fc.array(callArbitrary, { minLength: 1, maxLength: 3 });
const workArbitrary: fc.Arbitrary<Work> = fc.array(fc.array(pushArbitrary, { minLength: 1, maxLength: 3 }), {
  minLength: CLIENTS,
  maxLength: CLIENTS,
});

/** What a mutation was answered, by `client#id`. */
type Results = Map<string, string>;

const clientName = (index: number): string => `client${index}`;

class Server {
  readonly executor: SqlExecutor;
  readonly #handlers: readonly SyncHandler[];
  conflicts = 0;

  /** A handler for each executor, as processes of one deployment. */
  constructor(executors: readonly SqlExecutor[]) {
    this.executor = must(executors[0], "serial order: a database has an executor");
    this.#handlers = executors.map((executor) =>
      createSyncHandler({
        schema,
        mutators,
        executor,
        schemaVersion: "1",
        auth: () => ({ ok: true, clientGroupID: "g", ctx: {} }),
        onMetric: (metric) => {
          if (metric.type === "push") this.conflicts += metric.guardConflicts;
        },
      }),
    );
  }

  async start(): Promise<this> {
    await ensureSchema({ schema, executor: this.executor });
    const db = createServerDb({ schema, executor: this.executor });
    await db.insert(counters).values(["c0", "c1"].map((counter) => ({ id: counter, n: 20 })));
    return this;
  }

  /** Sends the mutations of a client until each has an answer. */
  async push(index: number, firstID: number, calls: readonly Call[], results: Results): Promise<void> {
    const handle = must(this.#handlers[index % this.#handlers.length], "serial order: there are handlers");
    const clientID = clientName(index);
    let outbox = calls.map(({ name, args }, i) => mutation(firstID + i, name, args));
    for (let attempt = 0; outbox.length > 0; attempt++) {
      expect(attempt).toBeLessThan(ATTEMPTS_MAX);
      const request = pushRequest({ user: "g", clientID, replicaID: clientID }, outbox);
      const { status, json } = await answerOf(await handle(request));
      if (status === 503) continue;
      expect(status).toBe(200);
      for (const { id: mutationID, status: outcome, error } of json.results)
        results.set(`${clientID}#${mutationID}`, [outcome, error?.code, error?.message].join(" ").trim());
      outbox = outbox.slice(json.results.length);
    }
  }

  async rows(): Promise<unknown> {
    const db = createServerDb({ schema, executor: this.executor });
    return [await db.select().from(counters), await db.select().from(items)];
  }

  /** The log, without what differs from run to run. */
  async log() {
    const text =
      'SELECT op, table_name, row_id, "before", value, client_id, mutation_id FROM _plasma_changes ORDER BY row_version';
    const entries = await this.executor.all({ text, params: [] });
    return entries.map((entry) => ({ ...entry, mutation_id: Number(entry["mutation_id"] ?? 0) }) as LogLine);
  }
}

interface LogLine {
  readonly op: string;
  readonly client_id: string | null;
  readonly mutation_id: number;
}

async function runAtOnce(server: Server, work: Work): Promise<Results> {
  const results: Results = new Map();
  await Promise.all(
    work.map(async (pushes, index) => {
      let nextID = 1;
      for (const calls of pushes) {
        await server.push(index, nextID, calls, results);
        nextID += calls.length;
      }
    }),
  );
  return results;
}

/** The mutations one by one, as the log has their acks. */
async function runInLogOrder(server: Server, work: Work, log: readonly LogLine[]): Promise<Results> {
  const results: Results = new Map();
  const indexes = new Map(work.map((_, index) => [clientName(index), index]));
  for (const { op, client_id: clientID, mutation_id: mutationID } of log) {
    if (op !== "ack") continue;
    const index = must(indexes.get(String(clientID)), "serial order: only the clients push");
    const call = must(work[index]?.flat()[mutationID - 1], "serial order: only their mutations are there");
    await server.push(index, mutationID, [call], results);
  }
  return results;
}

/** `open` gives executors over one empty database, as many processes as there are to be. */
export function serialOrderSuite(
  engine: string,
  open: () => Promise<readonly SqlExecutor[]>,
  { runs }: { readonly runs: number },
): void {
  describe(`serial order: ${engine}`, () => {
    test(
      "pushes at once leave what their mutations leave one after another in the log's order",
      { timeout: 120_000 },
      async () => {
        let conflicts = 0;
        const statuses = new Map<string, number>();
        const property = fc.asyncProperty(workArbitrary, async (work) => {
          const server = await new Server(await open()).start();
          const results = await runAtOnce(server, work);
          const log = await server.log();
          const serial = await new Server(await open()).start();
          const expected = await runInLogOrder(serial, work, log);
          expect(results).toEqual(expected);
          expect(await server.rows()).toEqual(await serial.rows());
          expect(log).toEqual(await serial.log());
          conflicts += server.conflicts;
          for (const result of results.values()) {
            const status = result.split(" ").slice(0, 2).join(" ");
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
          }
        });
        await fc.assert(property, { numRuns: runs, seed: 3 });
        console.log(`serial order: ${engine}: ${runs} runs, ${conflicts} conflicts`, Object.fromEntries(statuses));
        // A run without these would show nothing.
        for (const status of ["applied", "rejected mutation/app", "rejected constraint/unique"])
          expect(statuses.get(status) ?? 0).toBeGreaterThan(runs / 4);
      },
    );
  });
}
