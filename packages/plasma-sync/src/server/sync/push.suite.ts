// What a push does, on any engine.

import { beforeEach, describe, expect, test } from "vitest";
import { createNewId } from "../../core/mutation/new-id.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import type { MutationEvent } from "../handler-options.ts";
import type { PlasmaMetric, SyncServerError } from "./sync-server-error.ts";
import {
  answerOf,
  mutation,
  NOW,
  rawPush,
  RawClient,
  startServer,
  type Ctx,
  type TestServer,
} from "./sync-server.fixture.ts";

/** `freshDatabase` gives an executor over an empty database. */
export function describePush(engine: string, freshDatabase: () => SqlExecutor | Promise<SqlExecutor>): void {
  describe(`push on ${engine}`, () => {
    let server: TestServer;
    let errors: SyncServerError[];
    let events: MutationEvent<Ctx>[];
    let pushedBy: string[];
    let metrics: PlasmaMetric[];
    let ada: RawClient;

    beforeEach(async () => {
      [errors, events, pushedBy, metrics] = [[], [], [], []];
      server = startServer(await freshDatabase(), {
        onError: (error) => void errors.push(error),
        onMutation: (event) => void events.push(event),
        onPushed: (auth) => void pushedBy.push(auth.clientGroupID),
        onMetric: (metric) => void metrics.push(metric),
      });
      ada = new RawClient(server, { user: "ada", clientID: "c1", replicaID: "r1" });
    });

    const rowsOf = async (table: string) => (await server.dump())[table] ?? [];
    const post = async (postID: string) =>
      JSON.parse(
        String(
          (await rowsOf("posts")).find((row) => (row as any).id === postID && (row as any).body)?.["body" as never],
        ),
      );

    describe("a push", () => {
      test("applies mutations in order and answers each with the client's last id", async () => {
        const { status, json, headers } = await ada.push(
          mutation(1, "addNote", { id: "n1", title: "one" }),
          mutation(2, "setNote", { id: "n1", title: "two" }),
        );
        expect(status).toBe(200);
        expect(json).toEqual({
          ok: true,
          results: [
            { clientID: "c1", id: 1, status: "applied" },
            { clientID: "c1", id: 2, status: "applied" },
          ],
          lastMutationIDs: { c1: 2 },
        });
        expect(headers.get("cache-control")).toBe("no-store");
        expect(await rowsOf("notes")).toMatchObject([{ id: "n1", title: "two", ownerId: "ada" }]);
      });

      test("carries several clients of one replica, each with ids of its own", async () => {
        const { json } = await ada.push(
          mutation(1, "addNote", { id: "n1" }),
          mutation(1, "addNote", { id: "n2" }, { clientID: "c2" }),
          mutation(2, "doNothing"),
        );
        expect(json.results.map(({ clientID, id, status }) => [clientID, id, status])).toEqual([
          ["c1", 1, "applied"],
          ["c2", 1, "applied"],
          ["c1", 2, "applied"],
        ]);
        expect(json.lastMutationIDs).toEqual({ c1: 2, c2: 1 });
      });

      test("answers duplicates without running them, and then writes nothing", async () => {
        await ada.push(mutation(1, "addNote", { id: "n1" }), mutation(2, "throwAfterWrite", { message: "No." }));
        const before = await server.dump();
        const { json } = await ada.push(
          mutation(1, "addNote", { id: "n1" }),
          mutation(2, "throwAfterWrite", { message: "No." }),
        );
        expect(json.results).toEqual([
          { clientID: "c1", id: 1, status: "duplicate" },
          { clientID: "c1", id: 2, status: "rejected", error: { code: "mutation/app", message: "No." } },
        ]);
        expect(json.lastMutationIDs).toEqual({ c1: 2 });
        expect(await server.dump()).toEqual(before);
        expect(events).toHaveLength(2);
      });

      test("runs an id once that stands twice in one body, also when it is refused", async () => {
        const twice = [
          mutation(1, "throwAfterWrite", { message: "No." }),
          mutation(1, "throwAfterWrite", { message: "No." }),
        ];
        const { json } = await ada.push(
          ...twice,
          mutation(2, "addNote", { id: "n" }),
          mutation(2, "addNote", { id: "n" }),
        );
        expect(json.results.map(({ id, status }) => [id, status])).toEqual([
          [1, "rejected"],
          [1, "rejected"],
          [2, "applied"],
          [2, "duplicate"],
        ]);
        expect(events.map(({ id }) => id)).toEqual([1, 2]);
      });

      test("without mutations answers the last id and changes nothing", async () => {
        await ada.push(mutation(1, "addNote", { id: "n1" }));
        const before = await server.dump();
        expect((await ada.push()).json).toEqual({ ok: true, results: [], lastMutationIDs: { c1: 1 } });
        expect(await server.dump()).toEqual(before);
      });

      test("gives the mutator the wire's time, seed, ids and side", async () => {
        const seed = "000102030405060708090a0b0c0d0e0f";
        await ada.push(mutation(1, "stamp", { id: "p1" }, { timestamp: 123, seed }));
        expect(await post("p1")).toEqual({
          now: 123,
          newId: createNewId(seed)(),
          clientID: "c1",
          mutationID: 1,
          side: "server",
        });
      });

      test("clamps a time more than five minutes ahead and makes a seed where none came", async () => {
        await ada.push(
          mutation(1, "stamp", { id: "p1" }, { timestamp: NOW + 299_000 }),
          mutation(2, "stamp", { id: "p2" }, { timestamp: NOW + 86_400_000 }),
        );
        const [first, second] = [await post("p1"), await post("p2")];
        expect([first.now, second.now]).toEqual([NOW + 299_000, NOW + 300_000]);
        expect(first.newId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
        expect(first.newId).not.toBe(second.newId);
      });

      test("decodes tagged args and hands the args schema's output to the mutator", async () => {
        await ada.push(
          mutation(1, "addNote", {
            id: "n1",
            big: { $bigint: "9007199254740993" },
            bytes: { $bytes: "AAH/" },
            extra: { a: 1 },
          }),
          mutation(2, "addPost", { body: "  trimmed " }),
        );
        await ada.pull();
        expect(ada.rows.get("notes/n1")).toMatchObject({
          big: "9007199254740993",
          bytes: "AAH/",
          extra: { a: 1 },
          shared: false,
          slug: null,
        });
        expect(await rowsOf("posts")).toMatchObject([{ body: "trimmed" }]);
      });
    });

    describe("a refusal", () => {
      const refusals: [what: string, name: string, args: unknown, code: string][] = [
        ["an unknown mutator", "noSuch", {}, "mutation/unknown"],
        ["a name of Object's", "constructor", {}, "mutation/unknown"],
        ["args that the schema refuses", "addPost", { body: 1 }, "mutation/args"],
        ["args with a malformed tag", "addPost", { $bigint: "x" }, "mutation/args"],
        ["args with a lone surrogate", "addPost", { body: "\ud800" }, "mutation/args"],
        ["NaN, which is null in JSON", "setNote", { id: "n1", rank: null }, "constraint/not-null"],
        ["an error of the mutator", "throwAfterWrite", { message: "The reason." }, "mutation/app"],
        ["a row of another", "setNote", { id: "grace", title: "x" }, "auth/denied"],
        ["giving a row away", "setNote", { id: "n1", ownerId: "grace" }, "auth/denied"],
        ["inserting for another", "addNote", { id: "n2", ownerId: "grace" }, "auth/denied"],
        ["deleting another's row", "delNote", { id: "grace" }, "auth/denied"],
        ["a taken unique value", "addNote", { id: "n2", slug: "taken" }, "constraint/unique"],
        ["a taken id", "addNote", { id: "n1" }, "constraint/unique"],
        ["a value of the wrong kind", "addNote", { id: "n2", title: 5 }, "data/invalid"],
        ["a missing value", "addTag", { id: "t", name: "t" }, "data/invalid"],
        ["an unknown column", "addNote", { id: "n2", nope: 1 }, "mutation/app"],
        ["a number beyond the safe integers", "addNote", { id: "n2", rank: 2 ** 60 }, "data/invalid"],
        ["a bigint beyond 64 bits", "addNote", { id: "n2", big: { $bigint: "9223372036854775808" } }, "data/invalid"],
        ["a row over the size bound", "addNote", { id: "n2", title: "x".repeat(901_000) }, "limit/row"],
      ];

      test.each(refusals)(
        "of %s leaves nothing but its record, and the mutations around it stay",
        async (_, name, args, code) => {
          const grace = new RawClient(server, { user: "grace", clientID: "g1", replicaID: "rg" });
          await grace.push(mutation(1, "addNote", { id: "grace", title: "hers", slug: "taken" }));
          await ada.push(mutation(1, "addNote", { id: "n1" }));
          const before = await server.dump();
          const { status, json, text } = await ada.push(
            mutation(2, name, args),
            mutation(3, "addPost", { body: "after" }),
          );
          expect(status).toBe(200);
          expect(json.results).toMatchObject([
            { id: 2, status: "rejected", error: { code } },
            { id: 3, status: "applied" },
          ]);
          expect(text).not.toMatch(/\.ts:\d|hers/);
          const after = await server.dump();
          expect({ notes: after["notes"], tags: after["tags"] }).toEqual({
            notes: before["notes"],
            tags: before["tags"],
          });
          expect(after["posts"]).toMatchObject([{ body: "after" }]);
          // The refusal is told again to whoever asks again, and to every pull of the replica that has not passed it.
          expect((await ada.push(mutation(2, name, args))).json.results).toEqual([json.results[0]]);
          const other = new RawClient(server, { user: "ada", clientID: "c9", replicaID: "r1" });
          await other.pull();
          expect(other.rejected).toEqual([`c1#2 ${code}`]);
          expect(errors.map(({ kind, mutation }) => [kind, mutation?.id])).toEqual([["mutation-error", 2]]);
        },
      );

      test("of args with 1e999 names the place", async () => {
        const body = JSON.stringify({
          protocolVersion: 1,
          schemaVersion: "1",
          clientGroupID: "ada",
          clientID: "c1",
          mutations: [mutation(1, "setNote", { rank: "@" })],
        });
        const request = rawPush({ user: "ada", clientID: "c1" }, body.replace('"@"', "1e999"));
        const { json } = await answerOf(await server.handle(request));
        expect(json.results).toMatchObject([
          { status: "rejected", error: { code: "mutation/args", message: expect.stringContaining("args.rank") } },
        ]);
      });

      test("keeps its message within bounds", async () => {
        const { json } = await ada.push(mutation(1, "throwAfterWrite", { message: "m".repeat(100_000) }));
        expect(json.results[0]?.error?.message).toHaveLength(2000);
      });
    });

    describe("hooks", () => {
      test("onPushed is called once per push that changed a row", async () => {
        await ada.push(mutation(1, "addNote", { id: "n1" }), mutation(2, "addNote", { id: "n2" }));
        expect(pushedBy).toEqual(["ada"]);
        await ada.push(mutation(1, "addNote", { id: "n1" }));
        await ada.push(mutation(3, "doNothing"));
        await ada.push(mutation(4, "throwAfterWrite", { message: "No." }));
        expect(pushedBy).toEqual(["ada"]);
      });

      test("onMutation tells of each processed mutation, in order", async () => {
        await ada.push(mutation(1, "addNote", { id: "n1", big: { $bigint: "5" } }), mutation(2, "noSuch"));
        expect(events).toEqual([
          {
            name: "addNote",
            args: { id: "n1", big: 5n },
            id: 1,
            clientID: "c1",
            ctx: { userId: "ada" },
            status: "applied",
          },
          { name: "noSuch", args: null, id: 2, clientID: "c1", ctx: { userId: "ada" }, status: "rejected" },
        ]);
      });

      test("onPushed does not wait for an onMutation that takes long", async () => {
        const order: string[] = [];
        const slow = Promise.withResolvers<void>();
        const busy = startServer(await freshDatabase(), {
          onMutation: async () => {
            await slow.promise;
            order.push("mail");
          },
          onPushed: () => {
            order.push("poke");
            slow.resolve();
          },
        });
        await new RawClient(busy, ada.identity).push(mutation(1, "addNote", { id: "n1" }));
        expect(order).toEqual(["poke", "mail"]);
      });

      test("that throw are reported and change no answer", async () => {
        const told: SyncServerError[] = [];
        const boom = () => {
          throw new RangeError("boom");
        };
        const throwing = startServer(await freshDatabase(), {
          onMutation: async () => boom(),
          onPushed: boom,
          onMetric: boom,
          onError: (error) => {
            told.push(error);
            boom();
          },
        });
        const { status } = await new RawClient(throwing, ada.identity).push(mutation(1, "addNote", { id: "n1" }));
        expect(status).toBe(200);
        expect(told.map(({ kind, message }) => [kind, message])).toEqual([
          ["onPushed-failed", "The hook onPushed threw."],
          ["onPushed-failed", "The hook onMutation threw."],
          ["onPushed-failed", "The hook onMetric threw."],
        ]);
      });

      test("are handed to waitUntil where there is one", async () => {
        const waiting: Promise<unknown>[] = [];
        let release = () => {};
        const held = new Promise<void>((resolve) => (release = resolve));
        let isDone = false;
        const handing = startServer(await freshDatabase(), {
          waitUntil: (promise) => void waiting.push(promise),
          onPushed: async () => {
            await held;
            isDone = true;
          },
        });
        const { status } = await new RawClient(handing, ada.identity).push(mutation(1, "addNote", { id: "n1" }));
        expect([status, isDone, waiting.length]).toEqual([200, false, 1]);
        release();
        await Promise.all(waiting);
        expect(isDone).toBe(true);
      });

      test("onMetric counts what a request did", async () => {
        await ada.push(
          mutation(1, "addNote", { id: "n1" }),
          mutation(2, "noSuch"),
          mutation(1, "addNote", { id: "n1" }),
        );
        await ada.pull();
        await ada.push(mutation(9, "doNothing"));
        expect(metrics).toEqual([
          {
            type: "push",
            ok: true,
            status: 200,
            latencyMs: 0,
            applied: 1,
            rejected: 1,
            duplicates: 1,
            guardConflicts: 0,
          },
          { type: "pull", ok: true, status: 200, latencyMs: 0, puts: 1, dels: 0, rowsScanned: 1, resync: true },
          {
            type: "push",
            ok: false,
            status: 409,
            latencyMs: 0,
            applied: 0,
            rejected: 0,
            duplicates: 0,
            guardConflicts: 0,
          },
        ]);
      });
    });
  });
}
