// The rows as of a cookie, on any engine.

import { beforeEach, describe, expect, test } from "vitest";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { createServerDb } from "../server-db.ts";
import {
  mutation,
  notes,
  posts,
  RawClient,
  schema,
  startServer,
  tags,
  type TestServer,
} from "../sync/sync-server.fixture.ts";
import { compactChangeLog } from "./compact-change-log.ts";
import { snapshotAsOf } from "./snapshot-as-of.ts";

/** `freshDatabase` gives an executor over an empty database. */
export function describeSnapshotAsOf(engine: string, freshDatabase: () => SqlExecutor | Promise<SqlExecutor>): void {
  describe(`snapshotAsOf on ${engine}`, () => {
    let executor: SqlExecutor;
    let server: TestServer;
    let ada: RawClient;

    beforeEach(async () => {
      executor = await freshDatabase();
      server = startServer(executor);
      ada = new RawClient(server, { user: "ada", clientID: "a1", replicaID: "ra" });
      await ada.pull();
    });

    const cookieOf = async (client: RawClient): Promise<string> => {
      await client.pull();
      return client.cookie as string;
    };
    /** What the tables hold now. */
    const rowsNow = async () => {
      const db = createServerDb({ schema, executor });
      const byID = <T extends { readonly id: string }>(rows: readonly T[]) => new Map(rows.map((row) => [row.id, row]));
      return new Map<string, Map<string, object>>([
        ["notes", byID(await db.select().from(notes))],
        ["posts", byID(await db.select().from(posts))],
        ["tags", byID(await db.select().from(tags))],
      ]);
    };

    const history = [
      mutation(1, "addNote", {
        id: "n1",
        title: "one",
        big: { $bigint: "9007199254740993" },
        bytes: { $bytes: "AAH/" },
        extra: { a: 1 },
      }),
      mutation(2, "addNote", { id: "n2", title: "two", slug: "s" }),
      mutation(3, "addTag", { id: "t1", name: "t", noteId: "n1", ownerId: "grace" }),
      mutation(4, "setNote", { id: "n1", title: "changed", big: null, bytes: null, extra: null, shared: true }),
      mutation(5, "setNote", { id: "n1", title: "changed again" }),
      mutation(6, "delNote", { id: "n1" }), // and its tag
      mutation(7, "addNote", { id: "n1", title: "back" }),
      mutation(8, "unknownMutator"),
      mutation(9, "delNote", { id: "n2" }),
      mutation(10, "stamp", { id: "p1" }),
    ];

    test("every state that there was comes back whole, whatever happened since", async () => {
      const states = [{ cookie: ada.cookie as string, rows: await rowsNow() }];
      for (const step of history) {
        await ada.push(step);
        states.push({ cookie: await cookieOf(ada), rows: await rowsNow() });
      }
      for (const { cookie, rows } of states) expect(await snapshotAsOf({ schema, executor, cookie })).toEqual(rows);
      expect(states[1]?.rows.get("notes")?.get("n1")).toMatchObject({ big: 9007199254740993n, shared: false });
    });

    test("states at and above the bound of a compaction come back; below it the error says so", async () => {
      const states: { readonly cookie: string; readonly rows: object }[] = [];
      for (const step of history) {
        await ada.push(step);
        states.push({ cookie: await cookieOf(ada), rows: await rowsNow() });
      }
      const [first, , , bound] = states;
      const version = Number(JSON.parse(atob(String(bound?.cookie.slice(3))))["0"]);
      await compactChangeLog({ executor, safeUpToVersion: version });
      for (const { cookie, rows } of states.slice(3))
        expect(await snapshotAsOf({ schema, executor, cookie })).toEqual(rows);
      await expect(snapshotAsOf({ schema, executor, cookie: String(first?.cookie) })).rejects.toMatchObject({
        code: "snapshot/compacted",
        data: { compactedTo: version },
      });
    });

    test("a cookie of another history, or from ahead of the log, is refused, and so is what is none", async () => {
      const cookieWith = (fields: object) => `c1:${btoa(JSON.stringify(fields)).replaceAll("=", "")}`;
      await ada.push(...history.slice(0, 3));
      for (const fields of [
        { 0: "3", $tag: "0011223344556677" },
        { 0: "3" },
        { 0: "99", $tag: "0011223344556677" },
        { 0: "9223372036854775807", $tag: "0011223344556677" },
      ])
        await expect(snapshotAsOf({ schema, executor, cookie: cookieWith(fields) })).rejects.toMatchObject({
          code: "snapshot/history",
        });
      for (const cookie of ["", "c1:", "nonsense", cookieWith({ 0: "x" })])
        await expect(snapshotAsOf({ schema, executor, cookie })).rejects.toMatchObject({ code: "pull/cookie" });
    });
  });
}
