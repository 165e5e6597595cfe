// A result on the server that follows the tables, on any engine.

import { beforeEach, describe, expect, test } from "vitest";
import { createVirtualEnv } from "../core/lib/virtual-env.ts";
import { count } from "../core/query/aggregates.ts";
import { compactChangeLog } from "./change-log/compact-change-log.ts";
import type { SqlExecutor } from "./database/sql-executor.ts";
import { createServerDb } from "./server-db.ts";
import { serverLiveSelect, type ServerLiveSelectOptions } from "./server-live-select.ts";
import { ensureSchema } from "./migration/ensure-schema.ts";
import { notes, posts, schema } from "./sync/sync-server.fixture.ts";

/** `freshDatabase` gives an executor over an empty database. */
export function describeServerLiveSelect(
  engine: string,
  freshDatabase: () => SqlExecutor | Promise<SqlExecutor>,
): void {
  describe(`serverLiveSelect on ${engine}`, () => {
    let executor: SqlExecutor;
    let statements: number;
    let isDown: boolean;
    let env: ReturnType<typeof createVirtualEnv>;
    let told: unknown[];
    let errors: unknown[];

    beforeEach(async () => {
      executor = await freshDatabase();
      await ensureSchema({ schema, executor });
      [statements, isDown, env, told, errors] = [0, false, createVirtualEnv(), [], []];
    });

    const db = () => createServerDb({ schema, executor });
    const addPost = (id: string) => db().insert(posts).values({ id, body: id });
    const addNote = (id: string) => db().insert(notes).values({ id, title: id, ownerId: "ada" });
    const countPosts = async () => (await db().select({ n: count() }).from(posts))[0]?.n;

    /** Lets the clock run, and waits for what a poll began, which a real database answers in its own time. */
    const polls: Promise<unknown>[] = [];
    const track = <T>(work: Promise<T>): Promise<T> => {
      polls.push(work);
      return work;
    };
    const settle = async () => {
      for (let done = -1; done !== polls.length;) {
        done = polls.length;
        await Promise.allSettled(polls);
        await new Promise((resolve) => setTimeout(resolve));
      }
    };
    const pass = async (ms: number) => {
      await env.advance(ms);
      await settle();
    };
    const watch = async (options: Partial<ServerLiveSelectOptions<unknown>> = {}) => {
      const stop = serverLiveSelect<unknown>({
        executor: {
          ...executor,
          all: (statement) => {
            statements += 1;
            return track(isDown ? Promise.reject(new RangeError("down")) : executor.all(statement));
          },
        },
        fetch: () => track(countPosts()),
        onChange: (result) => void told.push(result),
        onError: (error) => errors.push(error),
        env,
        ...options,
      });
      await settle();
      return stop;
    };

    test("tells the result at the start, and again when a table changed; a poll is one statement", async () => {
      const stop = await watch();
      expect(told).toEqual([0]);
      for (let polls = 0; polls < 3; polls++) await pass(1000);
      expect([told, statements]).toEqual([[0], 4]);
      await addPost("p1");
      await pass(999);
      expect(told).toEqual([0]);
      await pass(1);
      await addPost("p2");
      await addPost("p3");
      await pass(1000);
      expect(told).toEqual([0, 1, 3]);
      stop();
    });

    test("with tables, only their changes count", async () => {
      const stop = await watch({ tables: [posts] });
      await addNote("n1");
      await pass(2000);
      expect(told).toEqual([0]);
      await addPost("p1");
      await pass(1000);
      expect(told).toEqual([0, 1]);
      stop();
      const byName = await watch({ tables: ["notes"] });
      await addPost("p2");
      await pass(1000);
      await addNote("n2");
      await pass(1000);
      expect(told).toEqual([0, 1, 1, 2]);
      byName();
    });

    test("a change while the result is fetched is told by the next poll", async () => {
      const gate = Promise.withResolvers<void>();
      let fetches = 0;
      const stop = await watch({
        fetch: async () => {
          const result = await track(countPosts());
          if (fetches++ === 0) await gate.promise;
          return result;
        },
      });
      await addPost("p1");
      gate.resolve();
      await pass(0);
      expect(told).toEqual([0]);
      await pass(1000);
      expect(told).toEqual([0, 1]);
      stop();
    });

    test("a failing database is reported, asked less and less often, and no change is lost", async () => {
      const stop = await watch();
      isDown = true;
      await addPost("p1");
      await pass(1000); // the first failure; then 2, 4, 8, 16, 30 s, 30 s …
      expect([errors.length, told]).toEqual([1, [0]]);
      await pass(1999);
      expect(errors).toHaveLength(1);
      await pass(1);
      expect(errors).toHaveLength(2);
      for (const seconds of [4, 8, 16, 30, 30]) await pass(seconds * 1000);
      expect(errors).toHaveLength(7);
      isDown = false;
      await pass(30_000);
      expect(told).toEqual([0, 1]);
      await addPost("p2");
      await pass(1000);
      expect([told, errors.length]).toEqual([[0, 1, 2], 7]);
      stop();
    });

    test("what fetch or onChange throws is reported; a result that could not be made is made later", async () => {
      let fails = true;
      const stop = await watch({
        fetch: async () => {
          if (fails) throw new RangeError("no result");
          return track(countPosts());
        },
        onChange: (result) => {
          told.push(result);
          throw new RangeError("not taken");
        },
      });
      expect(errors).toMatchObject([{ message: "no result" }]);
      fails = false;
      await pass(2000);
      expect([told, errors[1]]).toMatchObject([[0], { message: "not taken" }]);
      stop();
    });

    test("entries that were compacted away between two polls count as changes", async () => {
      const stop = await watch({ tables: [posts] });
      await addPost("p1");
      await addNote("n1");
      await compactChangeLog({ executor, safeUpToVersion: 1e9 });
      await pass(1000);
      expect(told).toEqual([0, 1]);
      stop();
    });

    test("a database that was put back to an older state counts as changed", async () => {
      await addPost("p1");
      await addPost("p2");
      const stop = await watch();
      await db().delete(posts).all();
      await executor.run({ text: "DELETE FROM _plasma_changes WHERE row_version > 1", params: [] });
      await pass(1000);
      expect(told).toEqual([2, 0]);
      stop();
    });

    test("after stop nothing is called, whatever was under way", async () => {
      const gate = Promise.withResolvers<number>();
      const stop = await watch({ fetch: () => gate.promise });
      stop();
      gate.resolve(1);
      await addPost("p1");
      await pass(60_000);
      expect([told, errors, env.timerCount]).toEqual([[], [], 0]);
    });

    test("an interval below 1 ms is refused", () => {
      const options = { executor, fetch: () => 0, onChange: () => undefined, pollIntervalMs: 0 };
      expect(() => serverLiveSelect(options)).toThrow(/pollIntervalMs.*\[server\/option\]/);
    });
  });
}
