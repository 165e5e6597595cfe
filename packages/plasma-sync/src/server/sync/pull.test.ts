import { beforeEach, describe, expect, test } from "vitest";
import type { PatchOp } from "../../core/protocol/pull.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { hooked, memoryDatabase } from "./memory-database-node.fixture.ts";
import {
  answerOf,
  mutation,
  NOW,
  pullRequest,
  RawClient,
  startServer,
  type TestServer,
} from "./sync-server.fixture.ts";

let server: TestServer;
let statements: string[];
let ada: RawClient;
let grace: RawClient;

beforeEach(async () => {
  statements = [];
  const executor: SqlExecutor = hooked(
    memoryDatabase(),
    (when, text) => void (when === "before" && statements.push(text)),
  );
  server = startServer(executor);
  ada = new RawClient(server, { user: "ada", clientID: "a1", replicaID: "ra" });
  grace = new RawClient(server, { user: "grace", clientID: "g1", replicaID: "rg" });
  await ada.pull();
  await grace.pull();
});

const sql = (text: string) => server.executor.run({ text, params: [] });
const short = (ops: readonly PatchOp[]) =>
  ops.map((op) => (op.op === "clear" ? "clear" : `${op.op} ${op.table}/${op.id}`));
const cookieOf = (client: RawClient) =>
  JSON.parse(atob((client.cookie ?? "").slice(3).replaceAll("-", "+").replaceAll("_", "/")));
const forged = (fields: object) => `c1:${btoa(JSON.stringify(fields)).replaceAll("=", "")}`;
let graceID = 0;
let adaID = 0;
beforeEach(() => void ([graceID, adaID] = [0, 0]));
const asGrace = (name: string, args: unknown) => grace.push(mutation(++graceID, name, args));
const asAda = (name: string, args: unknown) => ada.push(mutation(++adaID, name, args));

describe("a catch-up", () => {
  test("is empty, and keeps its cookie, where nothing changed", async () => {
    const before = ada.cookie;
    const { json } = await ada.pullPage();
    expect(json).toEqual({ cookie: before, patch: [], lastMutationIDs: {} });
  });

  test("puts whole rows in the wire's form, and deletes them", async () => {
    await asAda("addNote", {
      id: "n1",
      title: "é",
      big: { $bigint: "-9223372036854775808" },
      bytes: { $bytes: "AP8=" },
      extra: { a: 1 },
      shared: true,
    });
    expect(await ada.pull()).toEqual([
      {
        op: "put",
        table: "notes",
        id: "n1",
        value: {
          id: "n1",
          title: "é",
          slug: null,
          ownerId: "ada",
          shared: true,
          rank: 0,
          big: "-9223372036854775808",
          bytes: "AP8=",
          extra: { a: 1 },
        },
      },
    ]);
    await asAda("delNote", { id: "n1" });
    expect(await ada.pull()).toEqual([{ op: "del", table: "notes", id: "n1" }]);
  });

  test("folds changes of a row into one op, at the place of the last", async () => {
    await asAda("addNote", { id: "n1" });
    await asAda("addNote", { id: "n2" });
    await asAda("setNote", { id: "n1", rank: 1 });
    await asAda("setNote", { id: "n1", rank: 2 });
    expect(await ada.pull()).toMatchObject([{ id: "n2" }, { id: "n1", value: { rank: 2 } }]);
  });

  test("sees raw SQL, and what a cascade deleted", async () => {
    await asAda("addNote", { id: "n1" });
    await asAda("addTag", { id: "t1", name: "t", noteId: "n1", ownerId: "ada" });
    await sql("INSERT INTO posts (id, body) VALUES ('p', 'raw')");
    expect(short(await ada.pull())).toEqual(["put notes/n1", "put tags/t1", "put posts/p"]);
    await asAda("delNote", { id: "n1" });
    await sql("UPDATE posts SET id = 'q'");
    expect(short(await ada.pull())).toEqual(["del tags/t1", "del notes/n1", "del posts/p", "put posts/q"]);
  });

  test("costs at most two statements in one batch, and no scan", async () => {
    await asAda("addNote", { id: "n1" });
    statements.length = 0;
    await ada.pull();
    expect(statements).toHaveLength(1);
    const texts = statements[0]?.split("; ") ?? [];
    expect(texts).toHaveLength(2);
    for (const text of texts) {
      const plan = await server.executor.all({ text: `EXPLAIN QUERY PLAN ${text}`, params: [1, 1] });
      const details = plan.map((row) => String(row["detail"]));
      // The log is searched by version; only its last entry is read from the end. What is scanned is a page's own entries.
      expect(
        details.filter(
          (detail) =>
            /SCAN/.test(detail) &&
            !/CONSTANT ROW|SCAN (h|one|sized|\(subquery-\d+\)|_plasma_changes)( LEFT-JOIN)?$/.test(detail),
        ),
      ).toEqual([]);
    }
  });
});

describe("visibility", () => {
  const graceSees = async () => short(await grace.pull());

  test("a row that was never visible is not mentioned", async () => {
    await asAda("addNote", { id: "n1" });
    await asAda("setNote", { id: "n1", title: "secret" });
    await asAda("delNote", { id: "n1" });
    expect(await graceSees()).toEqual([]);
  });

  test("a row that becomes visible is put, one that stops is deleted, and then no longer mentioned", async () => {
    await asAda("addNote", { id: "n1" });
    expect(await graceSees()).toEqual([]);
    await asAda("setNote", { id: "n1", shared: true });
    expect(await graceSees()).toEqual(["put notes/n1"]);
    await asAda("setNote", { id: "n1", shared: false });
    expect(await graceSees()).toEqual(["del notes/n1"]);
    await asAda("setNote", { id: "n1", title: "secret" });
    expect(await graceSees()).toEqual([]);
  });

  test("a visible row that is deleted is deleted", async () => {
    await asAda("addNote", { id: "n1", shared: true });
    await grace.pull();
    await asAda("delNote", { id: "n1" });
    expect(await graceSees()).toEqual(["del notes/n1"]);
  });

  test("a row that was visible only between two pulls is deleted, since someone may have seen it", async () => {
    await asAda("addNote", { id: "n1" });
    await grace.pull();
    await asAda("setNote", { id: "n1", shared: true });
    await asAda("setNote", { id: "n1", shared: false });
    expect(await graceSees()).toEqual(["del notes/n1"]);
  });

  test("a row that was hidden and is back is put", async () => {
    await asAda("addNote", { id: "n1", shared: true });
    await grace.pull();
    await asAda("setNote", { id: "n1", shared: false });
    await asAda("setNote", { id: "n1", shared: true });
    expect(await graceSees()).toEqual(["put notes/n1"]);
  });

  test("a row of a table without a rule that came and went is deleted", async () => {
    await sql("INSERT INTO posts (id, body) VALUES ('p', '')");
    await sql("DELETE FROM posts");
    expect(await graceSees()).toEqual(["del posts/p"]);
  });

  test("a first sync holds visible rows only", async () => {
    await asAda("addNote", { id: "n1" });
    await asAda("addNote", { id: "n2", shared: true });
    grace.cookie = undefined;
    expect(await graceSees()).toEqual(["clear", "put notes/n2"]);
  });
});

describe("lastMutationIDs", () => {
  test("tell the advances of the replica's clients since the cookie", async () => {
    await ada.push(mutation(1, "doNothing"), mutation(2, "noSuch"), mutation(1, "doNothing", null, { clientID: "a2" }));
    const other = new RawClient(server, { user: "ada", clientID: "b1", replicaID: "rb" });
    await other.push(mutation(1, "doNothing"));
    await grace.push(mutation(1, "doNothing"));
    expect((await ada.pullPage()).json.lastMutationIDs).toEqual({ a1: 2, a2: 1 });
    expect((await ada.pullPage()).json.lastMutationIDs).toEqual({});
    await ada.push(mutation(3, "doNothing"));
    expect((await ada.pullPage()).json.lastMutationIDs).toEqual({ a1: 3 });
  });

  test("tell those of the group where no replica is named", async () => {
    const bare = new RawClient(server, { user: "ada", clientID: "bare" });
    await bare.pull();
    await ada.push(mutation(1, "doNothing"));
    await bare.push(mutation(1, "doNothing"));
    expect((await bare.pullPage()).json.lastMutationIDs).toEqual({ a1: 1, bare: 1 });
  });

  test("are exactly as of each page's cookie", async () => {
    for (let i = 1; i <= 4; i++) await asAda("addNote", { id: `n${i}` });
    const pages: unknown[] = [];
    for (;;) {
      const { json } = await ada.pullPage(3);
      pages.push([short(json.patch), json.lastMutationIDs, json.hasMore]);
      if (json.hasMore !== true) break;
    }
    // Each mutation is two entries: its row, then its advance.
    expect(pages).toEqual([
      [["put notes/n1", "put notes/n2"], { a1: 1 }, true],
      [["put notes/n3"], { a1: 3 }, true],
      [["put notes/n4"], { a1: 4 }, undefined],
    ]);
  });
});

describe("rejections", () => {
  test("are told once per cookie, and all of the last 30 days by a re-sync", async () => {
    await asAda("noSuch", {});
    expect((await ada.pullPage()).json.rejected).toMatchObject([{ clientID: "a1", id: 1, code: "mutation/unknown" }]);
    expect((await ada.pullPage()).json.rejected).toBeUndefined();
    server.clock.now = NOW + 29 * 86_400_000;
    await asAda("throwAfterWrite", { message: "No." });
    const resync = async () => (await answerOf(await server.handle(pullRequest(ada.identity)))).json.rejected;
    expect(await resync()).toMatchObject([{ id: 1 }, { id: 2, code: "mutation/app", message: "No." }]);
    server.clock.now = NOW + 31 * 86_400_000;
    expect(await resync()).toMatchObject([{ id: 2 }]);
  });

  test("are told to the replica only", async () => {
    const other = new RawClient(server, { user: "ada", clientID: "b1", replicaID: "rb" });
    await other.pull();
    await asAda("noSuch", {});
    await other.pull();
    await grace.pull();
    expect([...other.rejected, ...grace.rejected]).toEqual([]);
  });
});

describe("a first sync", () => {
  beforeEach(async () => {
    for (const id of ["n3", "n1", "n2"]) await asAda("addNote", { id });
    await asGrace("addNote", { id: "n0" });
    await asAda("addTag", { id: "t1", name: "t", noteId: "n1", ownerId: "ada" });
    await sql("INSERT INTO posts (id, body) VALUES ('p2', ''), ('p1', '')");
    ada.cookie = undefined;
  });

  test("comes in (table, id) order, after a clear, with all advances", async () => {
    const { json } = await ada.pullPage();
    expect(short(json.patch)).toEqual([
      "clear",
      "put notes/n1",
      "put notes/n2",
      "put notes/n3",
      "put posts/p1",
      "put posts/p2",
      "put tags/t1",
    ]);
    expect([json.lastMutationIDs, json.hasMore]).toEqual([{ a1: 4 }, undefined]);
    expect(cookieOf(ada)).toEqual({
      0: expect.stringMatching(/^\d+$/),
      $tag: expect.stringMatching(/^[0-9a-f]{16}$/),
      $schema: "1",
    });
  });

  test("by pages bounds the rows scanned, also those that nobody may see, and tells advances only at the end", async () => {
    const pages: unknown[] = [];
    for (;;) {
      const { json } = await ada.pullPage(2);
      pages.push([short(json.patch), json.lastMutationIDs, json.hasMore]);
      if (json.hasMore !== true) break;
    }
    expect(pages).toEqual([
      [["clear", "put notes/n1"], {}, true],
      [["put notes/n2", "put notes/n3"], {}, true],
      [["put posts/p1", "put posts/p2"], {}, true],
      [["put tags/t1"], { a1: 4 }, undefined],
    ]);
  });

  test("repairs what changed behind and before the reader", async () => {
    const first = await ada.pullPage(3); // n0 (grace's), n1, n2
    expect(short(first.json.patch)).toEqual(["clear", "put notes/n1", "put notes/n2"]);
    await asAda("delNote", { id: "n1" }); // read: must go, with its unread tag
    await asAda("setNote", { id: "n2", rank: 7 }); // read: must change
    await asGrace("setNote", { id: "n0", shared: true }); // passed, unseen: must come
    await asAda("addNote", { id: "n01" }); // behind the reader: must come
    await sql("DELETE FROM posts WHERE id = 'p1'"); // not read: never there
    await ada.pull(3);
    expect([...ada.rows.keys()].sort()).toEqual(["notes/n0", "notes/n01", "notes/n2", "notes/n3", "posts/p2"]);
    expect(ada.rows.get("notes/n2")).toMatchObject({ rank: 7 });
    expect(ada.lastMutationIDs).toEqual({ a1: 7 });
  });

  test("takes back a row that was visible only while it was read", async () => {
    await asGrace("setNote", { id: "n0", shared: true });
    expect(short((await ada.pullPage(1)).json.patch)).toEqual(["clear", "put notes/n0"]);
    await asGrace("setNote", { id: "n0", shared: false });
    await asGrace("setNote", { id: "n0", rank: 1 });
    await ada.pull();
    expect(ada.rows.has("notes/n0")).toBe(false);

    // The same where it became visible after the sync had begun.
    await asGrace("addNote", { id: "n9" });
    ada.cookie = undefined;
    await ada.pullPage(1);
    await asGrace("setNote", { id: "n9", shared: true });
    await ada.pullPage(4);
    expect(ada.rows.has("notes/n9")).toBe(true);
    await asGrace("setNote", { id: "n9", shared: false });
    await asGrace("setNote", { id: "n9", rank: 1 });
    await ada.pull();
    expect(ada.rows.has("notes/n9")).toBe(false);
  });

  test("tells no advances while it brings what came since its last page", async () => {
    await ada.pullPage(7);
    for (let i = 0; i < 3; i++) await asAda("addNote", { id: `m${i}` });
    const pages: unknown[] = [];
    for (;;) {
      const { json } = await ada.pullPage(2);
      pages.push([short(json.patch), json.lastMutationIDs, json.hasMore]);
      if (json.hasMore !== true) break;
      expect(cookieOf(ada)["$page"]).toMatchObject({ type: "tables" });
    }
    expect(pages).toEqual([
      [["put notes/m0"], {}, true],
      [["put notes/m1"], {}, true],
      [["put notes/m2"], {}, true],
      [[], { a1: 7 }, undefined],
    ]);
  });

  test("costs O(rows), whatever the history", async () => {
    for (let i = 0; i < 200; i++) await sql(`UPDATE posts SET body = '${i}'`);
    const { json } = await ada.pullPage();
    expect(json.hasMore).toBeUndefined();
    expect(json.patch).toHaveLength(7);
  });

  test("reads a bounded number of rows per page, and is not repeated by its own cookie", async () => {
    statements.length = 0;
    await ada.pullPage();
    // The log's end, three tables, the log with the audience's news.
    expect(statements).toHaveLength(5);
    expect(await ada.pull()).toEqual([]);
  });
});

describe("a re-sync", () => {
  const isResync = async () => short((await ada.pullPage()).json.patch)[0] === "clear";
  beforeEach(async () => {
    await asAda("addNote", { id: "n1" });
    await ada.pull();
  });

  test("comes when ctxKey changes, and is over by the next pull", async () => {
    const keyed = new RawClient(server, { ...ada.identity, header: "ada//key1" });
    await keyed.pull();
    expect(await keyed.pull()).toEqual([]);
    const other = new RawClient(server, { ...ada.identity, header: "ada//key2" });
    other.cookie = keyed.cookie;
    expect(short(await other.pull())).toEqual(["clear", "put notes/n1"]);
    expect(await other.pull()).toEqual([]);
    ada.cookie = other.cookie;
    expect(await isResync()).toBe(true);
    expect(other.cookie).not.toContain(btoa("key"));
  });

  test("comes when the cookie is of another schema version", async () => {
    const newer = startServer(server.executor, { schemaVersion: "2" });
    const { json } = await answerOf(
      await newer.handle(pullRequest(ada.identity, { schemaVersion: "2", cookie: ada.cookie })),
    );
    expect(short(json.patch)).toEqual(["clear", "put notes/n1"]);
  });

  test("comes when the log is another's at the cookie: a restored backup", async () => {
    await asAda("addNote", { id: "n2" });
    await ada.pull();
    await sql("DELETE FROM _plasma_changes WHERE row_version > 2");
    await sql("DELETE FROM notes WHERE id = 'n2'");
    await sql("UPDATE notes SET rank = 9");
    await ada.pull();
    expect([...ada.rows.entries()]).toMatchObject([["notes/n1", { rank: 9 }]]);
  });

  test("comes when the log has lost the cookie's entry, or the cookie is ahead or has no tag", async () => {
    const { $tag: _tag, ...untagged } = cookieOf(ada);
    for (const fields of [untagged, { ...cookieOf(ada), 0: "77" }, { ...cookieOf(ada), 0: "1" }]) {
      ada.cookie = forged(fields);
      expect(await isResync()).toBe(true);
      expect(await ada.pull()).toEqual([]);
    }
  });

  test("in the middle of a first sync begins anew", async () => {
    await asAda("addNote", { id: "n2" });
    ada.cookie = undefined;
    await ada.pullPage(1);
    await sql("UPDATE _plasma_changes SET tag = 'restored'");
    expect(short((await ada.pullPage(1)).json.patch)).toEqual(["clear", "put notes/n1"]);
    await ada.pull(1);
    expect([...ada.rows.keys()]).toEqual(["notes/n1", "notes/n2"]);
  });

  test("of an empty database is a clear alone, at version 0", async () => {
    const empty = new RawClient(startServer(memoryDatabase()), ada.identity);
    expect(await empty.pull()).toEqual([{ op: "clear" }]);
    expect(cookieOf(empty)).toEqual({ 0: "0", $schema: "1" });
    expect(await empty.pull()).toEqual([]);
  });
});
