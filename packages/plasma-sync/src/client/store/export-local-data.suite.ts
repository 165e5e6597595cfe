// Owns: what exports owe their readers. It runs on fake-indexeddb and in Chromium.

import { describe, expect, test } from "vitest";
import { isPlasmaError } from "../../core/error.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import { bigint, blob, id, text, timestamp } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { createPlasmaClient } from "../client.ts";
import { deleteLocalData, exportLocalData, importLocalData } from "../local-data.ts";
import type { ExportedStore } from "./export-local-data.ts";
import { openAsItIs } from "./existing-databases.ts";
import { completed, resultOf } from "./idb-requests.ts";
import { databaseName, FORMAT_VERSION } from "./layout.ts";

const notes = table("notes", { id: id(), body: text(), size: bigint(), bytes: blob(), at: timestamp().nullable() });
/** Rows here come from this device alone, so that no server is needed for rows on the disk. */
const drafts = table(
  "drafts",
  { id: id(), body: text(), size: bigint(), bytes: blob() },
  { changeLogSuppressed: true },
);
const schema = defineSchema({ notes, drafts });

interface NewNote {
  readonly id: string;
  readonly body: string;
  readonly size: bigint;
  readonly bytes: Uint8Array;
}
const mutators = defineMutators<typeof schema, unknown>()({
  add: async ({ db, args }: MutatorInput<typeof schema, unknown, NewNote>) => {
    await db.insert(notes).values({ ...args, at: null });
    await db.insert(drafts).values(args);
  },
});
const SECRET = "Bearer of-the-user";

function openClient(dbName: string, clientGroupID = "ada") {
  return createPlasmaClient({
    schema,
    mutators,
    dbName,
    endpoint: "http://plasma.test/sync",
    schemaVersion: "1",
    clientGroupID,
    getContext: () => ({ token: SECRET }),
    authHeaders: () => ({ authorization: SECRET }),
    fetcher: () => Promise.reject(new TypeError("no network")),
    offline: true,
  });
}

const noteOf = (n: number): NewNote => ({
  id: `n${n}`,
  body: `$note ${n} “quoted”\n`,
  size: 2n ** 60n + BigInt(n),
  bytes: new Uint8Array([0, 255, n % 256]),
});

async function filled(count = 3) {
  const dbName = systemEnv.randomUUID();
  const client = openClient(dbName);
  for (let n = 0; n < count; n++) await client.mutate.add(noteOf(n));
  return { dbName, client };
}

const linesOf = async (file: Blob) =>
  (await file.text()).split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));

const storesOf = (header: Record<string, unknown> | undefined) =>
  (header?.["stores"] ?? []) as readonly ExportedStore[];

/** Every record of a database. */
async function recordsOf(dbName: string, clientGroupID: string) {
  const database = await openAsItIs(databaseName(dbName, clientGroupID));
  if (database === null) return expect.unreachable("there is no database");
  const tx = database.transaction([...database.objectStoreNames]);
  const done = completed(tx);
  const records = await Promise.all(
    [...database.objectStoreNames].map(async (name) => [
      name,
      await resultOf(tx.objectStore(name).getAllKeys()),
      await resultOf<unknown[]>(tx.objectStore(name).getAll()),
    ]),
  );
  await done;
  database.close();
  return records;
}

export function exportSuite(kind: string): void {
  describe(`export on ${kind}`, () => {
    test("an export of an open client is whole, says what it is, and holds outbox, rows and meta but no token", async () => {
      const { dbName, client } = await filled();
      const file = await exportLocalData({ dbName, clientGroupID: "ada" });
      const [header, ...lines] = await linesOf(file);
      expect(header).toMatchObject({
        plasma: "local-data",
        exportVersion: 1,
        database: databaseName(dbName, "ada"),
        formatVersion: FORMAT_VERSION,
      });
      expect(lines.at(-1)).toEqual({ end: true, records: lines.length - 1 });
      const outbox = lines.filter(({ store }) => store === "outbox").map(({ value }) => value);
      expect(outbox).toMatchObject([0, 1, 2].map((n) => ({ id: n + 1, name: "add", args: { id: `n${n}` } })));
      const text = await file.text();
      expect(text).toContain(`"replicaID"`);
      expect(text).not.toContain(SECRET);
      await client.mutate.add(noteOf(3));
      await client.close();
    });

    test("imported under another name it is the same database, record by record, and a client opens it", async () => {
      const { dbName, client } = await filled(70);
      await client.close();
      const file = await exportLocalData({ dbName, clientGroupID: "ada" });
      const [header, ...lines] = await linesOf(file);
      for (const { name, count } of storesOf(header))
        expect([name, lines.filter(({ store }) => store === name).length]).toEqual([name, count]);
      await importLocalData({ file, dbName: `${dbName}-copy`, clientGroupID: "support" });
      expect(await recordsOf(`${dbName}-copy`, "support")).toEqual(await recordsOf(dbName, "ada"));
      const copy = openClient(`${dbName}-copy`, "support");
      expect((await copy.pending()).map(({ args }) => args)).toEqual(Array.from({ length: 70 }, (_, n) => noteOf(n)));
      expect(await copy.db.select().from(drafts).orderBy(drafts.id).limit(1)).toEqual([noteOf(0)]);
      await copy.close();
    });

    test("without rows it holds the outbox and the state of syncing, and says how many records were left out", async () => {
      const { dbName, client } = await filled();
      await client.close();
      const [header, ...lines] = await linesOf(await exportLocalData({ dbName, clientGroupID: "ada", rows: false }));
      const stores = new Set(lines.map(({ store }) => store));
      expect(stores).toEqual(new Set(["clients", "meta", "outbox", undefined]));
      const left = storesOf(header).filter(({ isLeftOut }) => isLeftOut);
      expect(left.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0);
    });

    test("a database of a format that this code does not know is exported, and stays as it was", async () => {
      const dbName = systemEnv.randomUUID();
      const name = databaseName(dbName, "ada");
      const request = indexedDB.open(name, 900);
      request.onupgradeneeded = () =>
        request.result.createObjectStore("strange").put({ any: [1, undefined] }, [1, "k"]);
      (await resultOf(request)).close();
      const [header, ...lines] = await linesOf(await exportLocalData({ dbName, clientGroupID: "ada" }));
      expect(header).toMatchObject({ formatVersion: 900 });
      expect(lines).toEqual([
        { store: "strange", key: [1, "k"], value: { any: [1, { $undefined: true }] } },
        { end: true, records: 1 },
      ]);
      const after = await openAsItIs(name);
      expect(after?.version).toBe(900);
      after?.close();
    });

    test("all users of an app on the device, each in a section; none where there is nothing", async () => {
      const { dbName, client } = await filled(1);
      const grace = openClient(dbName, "grace");
      await grace.mutate.add(noteOf(5));
      await Promise.all([client.close(), grace.close()]);
      const lines = await linesOf(await exportLocalData({ dbName }));
      expect(new Set(lines.flatMap(({ database }) => database ?? []))).toEqual(
        new Set([databaseName(dbName, "ada"), databaseName(dbName, "grace")]),
      );
      await deleteLocalData({ dbName });
      expect((await exportLocalData({ dbName, clientGroupID: "ada" })).size).toBe(0);
      expect(await indexedDB.databases()).not.toContainEqual(
        expect.objectContaining({ name: databaseName(dbName, "ada") }),
      );
    });

    test.each([
      ["cut off", (text: string) => text.slice(0, text.lastIndexOf('{"end"'))],
      ["of something else", () => '{"hello":1}\n{"end":true}\n'],
      ["of several users", (text: string) => text + text],
    ])("a file that is %s is refused", async (_what, change) => {
      const { dbName, client } = await filled(1);
      await client.close();
      const text = await (await exportLocalData({ dbName, clientGroupID: "ada" })).text();
      const file = new Blob([change(text)]);
      const error = await importLocalData({ file, dbName: `${dbName}-copy`, clientGroupID: "ada" }).catch(
        (thrown: unknown) => thrown,
      );
      expect(isPlasmaError(error, "client/storage")).toBe(true);
    });

    test("an import never replaces data that is there", async () => {
      const { dbName, client } = await filled(1);
      const file = await exportLocalData({ dbName, clientGroupID: "ada" });
      const error = await importLocalData({ file, dbName, clientGroupID: "ada" }).catch((thrown: unknown) => thrown);
      expect(isPlasmaError(error, "client/storage")).toBe(true);
      expect(await client.pending()).toHaveLength(1);
      await client.close();
    });
  });
}
