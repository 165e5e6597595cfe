// What a compaction removes and what it keeps, on any engine.

import { beforeEach, describe, expect, test } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { createServerDb } from "../server-db.ts";
import { mutation, NOW, posts, RawClient, schema, startServer, type TestServer } from "../sync/sync-server.fixture.ts";
import { compactChangeLog, type Compaction } from "./compact-change-log.ts";

const DAY = 86_400_000;
const post = (id: string) => ({ id, body: id });

/** `freshDatabase` gives an executor over an empty database. */
export function describeCompaction(engine: string, freshDatabase: () => SqlExecutor | Promise<SqlExecutor>): void {
  describe(`compaction on ${engine}`, () => {
    let executor: SqlExecutor;
    let server: TestServer;
    let ada: RawClient;
    let grace: RawClient;

    beforeEach(async () => {
      executor = await freshDatabase();
      server = startServer(executor);
      ada = new RawClient(server, { user: "ada", clientID: "a1", replicaID: "ra" });
      grace = new RawClient(server, { user: "grace", clientID: "g1", replicaID: "rg" });
      await ada.pull();
    });

    const env = () => ({ ...systemEnv, now: () => server.clock.now });
    const upTo = (safeUpToVersion: number, on = executor): Promise<Compaction> =>
      compactChangeLog({ executor: on, safeUpToVersion, env: env() });
    const keep = (keepMs: number): Promise<Compaction> => compactChangeLog({ executor, keepMs, env: env() });
    /** The log as `put`, `del` and `ack` by version. */
    const log = async () =>
      (
        await executor.all({ text: "SELECT row_version, op FROM _plasma_changes ORDER BY row_version", params: [] })
      ).map((row) => `${Number(row["row_version"])} ${String(row["op"])}`);
    /** Entries 1 put, 2 ack, 3 put, 4 ack, … */
    const addNotes = async (from: number, to: number) => {
      for (let i = from; i <= to; i++) await ada.push(mutation(i, "addNote", { id: `n${i}`, shared: true }));
    };
    /** Posts as raw SQL would write them: entries without acks. */
    const addPosts = (from: number, to: number) =>
      createServerDb({ schema, executor, env: env() })
        .insert(posts)
        .values(Array.from({ length: to - from + 1 }, (_, i) => post(`p${from + i}`)));

    test("row entries below the bound go; the entry at it, acks and all above it stay", async () => {
      await addNotes(1, 4);
      expect(await upTo(5)).toEqual({ compactedTo: 5, deleted: 2, hasMore: false });
      expect(await log()).toEqual(["2 ack", "4 ack", "5 put", "6 ack", "7 put", "8 ack"]);
    });

    test("the same again changes nothing, a lower bound neither, and a higher one goes on", async () => {
      await addNotes(1, 4);
      await upTo(5);
      const before = await log();
      expect(await upTo(5)).toEqual({ compactedTo: 5, deleted: 0, hasMore: false });
      expect(await upTo(2)).toEqual({ compactedTo: 5, deleted: 0, hasMore: false });
      expect(await log()).toEqual(before);
      expect(await upTo(7)).toEqual({ compactedTo: 7, deleted: 1, hasMore: false });
      expect(await log()).toEqual(["2 ack", "4 ack", "6 ack", "7 put", "8 ack"]);
    });

    test("the end of the log stays, however high the bound", async () => {
      await addPosts(1, 3);
      expect(await upTo(1e15)).toEqual({ compactedTo: 3, deleted: 2, hasMore: false });
      expect(await log()).toEqual(["3 put"]);
    });

    test("an empty log is left alone", async () => {
      expect(await upTo(10)).toEqual({ compactedTo: 0, deleted: 0, hasMore: false });
    });

    test("by age: entries older than keepMs go", async () => {
      for (const [i, days] of [0, 5, 10].entries()) {
        server.clock.now = NOW + days * DAY;
        await addNotes(i + 1, i + 1);
      }
      expect(await keep(7 * DAY)).toEqual({ compactedTo: 2, deleted: 1, hasMore: false });
      expect(await keep(5 * DAY)).toEqual({ compactedTo: 2, deleted: 0, hasMore: false });
      expect(await keep(5 * DAY - 1)).toEqual({ compactedTo: 4, deleted: 1, hasMore: false });
      expect(await log()).toEqual(["2 ack", "4 ack", "5 put", "6 ack"]);
    });

    test.each([
      ["safeUpToVersion", { safeUpToVersion: -1 }],
      ["safeUpToVersion", { safeUpToVersion: 1.5 }],
      ["keepMs", { keepMs: Number.NaN }],
    ])("%s must be a whole number: %o", async (option, options) => {
      await expect(compactChangeLog({ executor, ...options })).rejects.toMatchObject({
        code: "server/option",
        data: { option },
      });
    });

    describe("a log larger than one commit takes", () => {
      const count = 2 * limits.compactionEntriesMax + 100;

      test("goes in several", async () => {
        await addPosts(1, count);
        const commits: number[] = [];
        const note = (rows: readonly object[] = []) => void commits.push(rows.length);
        const watched: SqlExecutor = {
          ...executor,
          all: async (statement) => {
            const rows = await executor.all(statement);
            if (statement.text.startsWith("WITH")) note(rows);
            return rows;
          },
          batch: async (statements) => {
            const results = await executor.batch(statements);
            note(results[1]);
            return results;
          },
        };
        const { compactedTo, deleted } = await upTo(1e15, watched);
        expect([compactedTo, deleted, await log()]).toEqual([count, count - 1, [`${count} put`]]);
        expect(commits.length).toBe(3);
        expect(Math.max(...commits)).toBeLessThanOrEqual(limits.compactionEntriesMax);
      });

      test("ends early where statements are few, says so, and goes on in the next call", async () => {
        await addPosts(1, count);
        const few: SqlExecutor = { ...executor, pushStatementsMax: 6 };
        const calls: Compaction[] = [];
        do calls.push(await upTo(1e15, few));
        while (calls.at(-1)?.hasMore && calls.length < 10);
        expect(calls.length).toBeGreaterThan(1);
        expect(calls.at(-1)).toMatchObject({ compactedTo: count, hasMore: false });
        expect(calls.reduce((sum, { deleted }) => sum + deleted, 0)).toBe(count - 1);
        expect(await log()).toEqual([`${count} put`]);
      });
    });

    describe("outcomes", () => {
      beforeEach(async () => {
        await addNotes(1, 1);
        await ada.push(mutation(2, "unknownMutator"), mutation(3, "addNote", { id: "n3", shared: true }));
        await upTo(5);
      });

      test("a mutation that comes again long after the compaction is a duplicate, a refused one is refused again", async () => {
        server.clock.now += 60 * DAY;
        expect((await keep(0)).compactedTo).toBe(5);
        const { json } = await ada.push(
          mutation(1, "addNote", { id: "n1" }),
          mutation(2, "unknownMutator"),
          mutation(3, "addNote", { id: "n3" }),
          mutation(4, "addNote", { id: "n4" }),
        );
        expect(json.results.map(({ status }) => status)).toEqual(["duplicate", "rejected", "duplicate", "applied"]);
      });

      test("go after 90 days; the last id stays for ever, and nothing runs twice", async () => {
        server.clock.now += 91 * DAY;
        expect((await log()).filter((entry) => entry.endsWith("ack"))).toHaveLength(3);
        await addPosts(1, 1);
        await upTo(1e15);
        expect(await log()).toEqual(["6 put"]);
        const { json } = await ada.push(
          mutation(1, "addNote", { id: "n1" }),
          mutation(2, "unknownMutator"),
          mutation(3, "addNote", { id: "n3" }),
          mutation(4, "addNote", { id: "n4" }),
        );
        expect(json.results.map(({ status }) => status)).toEqual(["duplicate", "duplicate", "duplicate", "applied"]);
      });
    });

    describe("clients", () => {
      test("one at the bound goes on with what changed", async () => {
        await addNotes(1, 2);
        await grace.pull();
        await addNotes(3, 4);
        await upTo(4);
        expect(await grace.pull()).toMatchObject([
          { op: "put", id: "n3" },
          { op: "put", id: "n4" },
        ]);
      });

      test("one below it syncs anew by difference, and ends with what is there", async () => {
        await addNotes(1, 2);
        await grace.pull(); // at 4, an ack, which stays
        await ada.push(mutation(3, "delNote", { id: "n1" }));
        await addNotes(4, 5);
        await upTo(8);
        const [first, ...puts] = await grace.pull();
        expect(first).toEqual({ op: "clear" });
        expect(puts.map((op) => op.op === "put" && op.id)).toEqual(["n2", "n4", "n5"]);
        expect([...grace.rows.keys()].sort()).toEqual(["notes/n2", "notes/n4", "notes/n5"]);
      });

      test("a first sync that a compaction overtakes ends with what is there", async () => {
        await addNotes(1, 6);
        await grace.pullPage(2);
        await ada.push(mutation(7, "delNote", { id: "n1" }), mutation(8, "setNote", { id: "n6", title: "new" }));
        await upTo(1e15);
        await ada.push(mutation(9, "delNote", { id: "n2" }));
        await grace.pull(2);
        expect([...grace.rows.keys()].sort()).toEqual(["notes/n3", "notes/n4", "notes/n5", "notes/n6"]);
        expect(grace.rows.get("notes/n6")).toMatchObject({ title: "new" });
      });

      test("pushes, pulls and compactions at once: everybody ends with what is there", async () => {
        for (let i = 1; i <= 30; i++) {
          const change =
            i <= 20
              ? mutation(i, "addNote", { id: `n${i}`, shared: true })
              : mutation(i, "delNote", { id: `n${i - 20}` });
          const [pushed] = await Promise.all([ada.push(change), upTo(1e15), grace.pullPage(3)]);
          expect(pushed.json).toMatchObject({ results: [{ status: "applied" }] });
        }
        await Promise.all([grace.pull(3), ada.pull(3)]);
        const left = Array.from({ length: 10 }, (_, i) => `notes/n${i + 11}`);
        expect([...grace.rows.keys()].sort()).toEqual(left);
        expect([...ada.rows.keys()].sort()).toEqual(left);
        expect(ada.lastMutationIDs).toEqual({ a1: 30 });
      });
    });
  });
}
