import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import { eq } from "../../core/query/expressions.ts";
import { bigint, blob, boolean, id, int, json, ref, text, timestamp } from "../../core/schema/column.ts";
import { defineSchema, type AnySchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { createSyncHandler } from "../handler.ts";
import { schemaViews } from "./schema-versions.ts";
import { mutation, pullRequest, pushRequest, RawClient, startServer, type TestServer } from "./sync-server.fixture.ts";

const notes = table("notes", { id: id(), title: text(), done: boolean().default(false), due: timestamp().nullable() });
const tags = table("tags", { id: id(), noteId: ref(() => notes.id) });
const current = defineSchema({ notes, tags });
const old = defineSchema({
  notes: table("notes", {
    id: id(),
    title: text(),
    mood: text().nullable(),
    big: bigint().default(7n),
    raw: blob().default(new Uint8Array([1])),
    data: json().default({ a: 1 }),
  }),
  scratch: table("scratch", { id: id() }, { changeLogSuppressed: true }),
  gone: table("gone", { id: id(), title: text() }),
});

const viewOf = (schema: AnySchema, now: AnySchema = current) =>
  schemaViews({ schema: now, schemaVersion: "2", acceptSchemaVersions: { "1": schema } }).get("1")!;

describe("the view of an older version", () => {
  test("holds only its tables, and of rows all of its columns and no other", () => {
    const value = { id: "n", title: "hi", done: true, due: null };
    expect(
      viewOf(old)([
        { op: "clear" },
        { op: "put", table: "notes", id: "n", value },
        { op: "put", table: "tags", id: "t", value: { id: "t", noteId: "n" } },
        { op: "del", table: "notes", id: "m" },
        { op: "del", table: "tags", id: "u" },
      ]),
    ).toEqual([
      { op: "clear" },
      {
        op: "put",
        table: "notes",
        id: "n",
        value: { id: "n", title: "hi", mood: null, big: "7", raw: "AQ==", data: { a: 1 } },
      },
      { op: "del", table: "notes", id: "m" },
    ]);
  });

  test("leaves a table alone that was local to the device then", () => {
    const now = defineSchema({ scratch: table("scratch", { id: id() }) });
    expect(viewOf(old, now)([{ op: "put", table: "scratch", id: "s", value: { id: "s" } }])).toEqual([]);
  });

  test("gives the default where a value may be null now, and keeps falsy values", () => {
    const now = defineSchema({ notes: table("notes", { id: id(), n: int().nullable(), m: int() }) });
    const then = defineSchema({ notes: table("notes", { id: id(), n: int().default(3), m: int().default(4) }) });
    expect(
      viewOf(then, now)([{ op: "put", table: "notes", id: "n", value: { id: "n", n: null, m: 0 } }]),
    ).toMatchObject([{ value: { id: "n", n: 3, m: 0 } }]);
  });

  test("of the current version is the patch itself", () => {
    const views = schemaViews({ schema: current, schemaVersion: "2" });
    const patch = [{ op: "clear" }] as const;
    expect([...views.keys()]).toEqual(["2"]);
    expect(views.get("2")?.(patch)).toBe(patch);
  });
});

test("a version that cannot be served is refused when the handler is made, with every reason", () => {
  const then = defineSchema({
    notes: table("notes", { id: id(), title: int(), done: boolean(), gone: text(), due: timestamp(), kept: text() }),
    tags: table("tags", { id: id(), noteId: text() }),
  });
  const now = defineSchema({ ...current.tables, notes: table("notes", { ...columnsOfNotes, kept: text() }) });
  const make = () =>
    createSyncHandler({
      schema: now,
      mutators: defineMutators<typeof now, unknown>()({}),
      executor: fromNodeSqlite(new DatabaseSync(":memory:")),
      schemaVersion: "2",
      acceptSchemaVersions: { "1": then },
      auth: () => ({ ok: false, reason: "" }),
    });
  expect(make).toThrow(
    'createSyncHandler: "acceptSchemaVersions" cannot serve version "1" from the current schema: ' +
      '"notes.title" was int and is text; "notes.gone" was never null, and is gone; ' +
      '"notes.due" was never null, and may be null now. Leave that version out.',
  );
});

const columnsOfNotes = { id: id(), title: text(), done: boolean().default(false), due: timestamp().nullable() };

describe("a server that accepts an older version", () => {
  const v1 = defineSchema({ notes: table("notes", { id: id(), title: text() }) });
  const mutators = defineMutators<typeof current, unknown>()({
    add: async ({ db, args }: MutatorInput<typeof current, unknown, { id: string; title: string }>) => {
      await db.insert(notes).values(args);
    },
    tag: async ({ db, args }: MutatorInput<typeof current, unknown, { id: string; noteId: string }>) => {
      await db.insert(tags).values(args);
    },
    finish: async ({ db, args }: MutatorInput<typeof current, unknown, { id: string }>) => {
      await db.update(notes).set({ done: true }).where(eq(notes.id, args.id));
    },
  });
  const start = () =>
    startServer(fromNodeSqlite(new DatabaseSync(":memory:")), {
      schema: current,
      mutators,
      schemaVersion: "2",
      acceptSchemaVersions: { "1": v1 },
    });
  const ada = { user: "ada", clientID: "c", replicaID: "r" };
  const versioned = (server: TestServer, schemaVersion: string) => ({
    push: async (...list: ReturnType<typeof mutation>[]) =>
      server.handle(pushRequest(ada, list, { schemaVersion })).then((response) => response.json()),
    pull: async (cookie?: string) =>
      server.handle(pullRequest(ada, { schemaVersion, cookie })).then((response) => response.json()),
  });

  test("runs its pushes with the current mutators and sends it rows as it knows them", async () => {
    const server = start();
    const one = versioned(server, "1");
    expect(
      await one.push(mutation(1, "add", { id: "n", title: "hi" }), mutation(2, "tag", { id: "t", noteId: "n" })),
    ).toMatchObject({
      results: [{ status: "applied" }, { status: "applied" }],
    });
    const first = await one.pull();
    expect(first).toMatchObject({
      patch: [{ op: "clear" }, { op: "put", table: "notes", value: { id: "n", title: "hi" } }],
      lastMutationIDs: { c: 2 },
    });
    expect(Object.keys(first.patch[1].value)).toEqual(["id", "title"]);
    // What it does not see changes, and is still a position in the log.
    await one.push(mutation(3, "finish", { id: "n" }));
    expect(await one.pull(first.cookie)).toMatchObject({
      patch: [{ op: "put", value: { id: "n", title: "hi" } }],
      lastMutationIDs: { c: 3 },
    });
    expect((await versioned(server, "2").pull()).patch).toMatchObject([
      { op: "clear" },
      { table: "notes", value: { id: "n", title: "hi", done: true, due: null } },
      { table: "tags", value: { id: "t", noteId: "n" } },
    ]);
  });

  test("syncs a client anew whose version has changed, up or down", async () => {
    const server = start();
    const [one, two] = [versioned(server, "1"), versioned(server, "2")];
    await two.push(mutation(1, "add", { id: "n", title: "hi" }));
    const { cookie } = await one.pull();
    expect((await one.pull(cookie)).patch).toEqual([]);
    const up = await two.pull(cookie);
    expect(up.patch).toMatchObject([{ op: "clear" }, { value: { done: false } }]);
    expect((await two.pull(up.cookie)).patch).toEqual([]);
    expect((await one.pull(up.cookie)).patch[0]).toEqual({ op: "clear" });
  });

  test("refuses every other version, and tells the current one", async () => {
    const server = start();
    for (const version of ["0", "3", "constructor"]) {
      const [push, pull] = await Promise.all([
        server.handle(pushRequest(ada, [], { schemaVersion: version })),
        server.handle(pullRequest(ada, { schemaVersion: version })),
      ]);
      expect([push.status, pull.status]).toEqual([409, 409]);
      expect(await push.json()).toEqual({ error: "schema mismatch", code: "schema/mismatch", expected: "2" });
    }
  });

  test("serves it page by page, however few of the rows are its own", async () => {
    const server = start();
    const two = versioned(server, "2");
    for (let i = 1; i <= 20; i++) await two.push(mutation(i, "tag", { id: `t${i}`, noteId: "n" }));
    await two.push(mutation(21, "add", { id: "n", title: "hi" }));
    const client = new RawClient({ ...server, handle: (request) => server.handle(asVersion(request, "1")) }, ada);
    await client.pull(3);
    expect([...client.rows]).toEqual([["notes/n", { id: "n", title: "hi" }]]);
    expect(client.lastMutationIDs).toEqual({ c: 21 });
  });
});

function asVersion(request: Request, schemaVersion: string): Request {
  const url = new URL(request.url);
  url.searchParams.set("schemaVersion", schemaVersion);
  return new Request(url, { headers: request.headers });
}
