// Owns: what the store on IndexedDB owes databases of older formats: real ones, as the code of their time wrote them.

import { describe, expect, test } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import type { Row } from "../../core/schema/value.ts";
import { format1 } from "./format-1.fixture.ts";
import { format2 } from "./format-2.fixture.ts";
import { openDatabase, resultOf } from "./idb-requests.ts";
import { createIdbStore, type IdbStore } from "./idb-store.ts";
import { importDatabase } from "./import-local-data.ts";
import { databaseName, FORMAT_VERSION, upgrade, type ReplicaMeta } from "./layout.ts";
import type { BaseChange } from "./store.ts";
import { codeOf, entriesOf, loadAll, note, nothing, outboxOf, schema } from "./store.suite.ts";

const open = (name: string): IdbStore => createIdbStore({ name, schema, schemaVersion: "1", env: systemEnv });

/** A database of an older format under a name of its own. */
async function oldOne(lines: readonly string[]): Promise<string> {
  const dbName = systemEnv.randomUUID();
  await importDatabase({ file: new Blob([lines.join("\n")]), dbName, clientGroupID: "ada" });
  return databaseName(dbName, "ada");
}

/** A database of format 2 with so many rows. */
async function largeOne(count: number): Promise<string> {
  const name = await oldOne(format2);
  const database = await resultOf(indexedDB.open(name));
  const tx = database.transaction("rows", "readwrite");
  for (let i = 0; i < count; i++) tx.objectStore("rows").put({ id: `big${i}`, title: `${i}` }, ["notes", `big${i}`]);
  await new Promise((resolve) => (tx.oncomplete = resolve));
  database.close();
  return name;
}

async function stored(name: string) {
  const database = await openDatabase({ name, version: FORMAT_VERSION, upgrade, env: systemEnv });
  const tx = database.transaction(["rows", "pages", "journal", "meta"]);
  const [rows, pages, journal, meta] = await Promise.all([
    resultOf(tx.objectStore("rows").count()),
    resultOf(tx.objectStore("pages").count()),
    resultOf(tx.objectStore("journal").count()),
    resultOf<ReplicaMeta>(tx.objectStore("meta").get("replica")),
  ]);
  database.close();
  return { rows, pages, journal, isLegacy: meta.rows?.isLegacy };
}

const titles = (rows: readonly Row[] | undefined) =>
  Object.fromEntries((rows ?? []).map((row) => [row["id"], row["title"]]));

const expectedTitles = {
  "": "note ",
  a: "note a",
  A: "note A",
  ä: "note ä",
  日本: "note 日本",
  "👩‍👧": "note 👩‍👧",
  "\uFFFF": "note \uFFFF",
  n1: "note n1",
  n2: "changed",
};
const measure = {
  id: "m",
  big: 9223372036854775807n,
  bytes: new Uint8Array([0, 255, 7]),
  amount: 0.5,
  count: 3,
  tree: { list: [1, null, "x"] },
};

export function oldFormatsSuite(kind: string): void {
  describe.each([
    ["1", format1],
    ["2", format2],
  ])(`a database of format %s on ${kind}`, (_format, lines) => {
    test("opens as it was: identity, cookie, outbox, clients, refusals, every row", async () => {
      const loaded = await loadAll(open(await oldOne(lines)));
      expect(loaded.replicaID).toMatch(/^0{8}-/);
      expect(loaded).toMatchObject({ seq: 4, cookie: "cookie-2", firstSync: { done: true, rows: 11 } });
      expect(outboxOf(loaded)).toEqual(["tab 2", "other 1"]);
      expect(loaded.outbox[0]).toMatchObject({
        args: { title: "tab 2", amount: { $bigint: "7" } },
        schemaVersion: "1",
      });
      expect(Object.fromEntries(loaded.lastIDs)).toEqual({ tab: 2, other: 1 });
      expect(titles(loaded.rows.get("notes"))).toEqual(expectedTitles);
      expect(loaded.rows.get("measures")).toEqual([measure]);
    });

    test("hands all rows over when it is opened, and none is cold until a fold has moved them", async () => {
      const store = open(await oldOne(lines));
      const handed: BaseChange[] = [];
      await store.open((changes) => handed.push(...changes));
      expect([handed.length, store.cold.isEmpty("notes")]).toEqual([10, true]);
      await store.fold();
      const later: BaseChange[] = [];
      await store.open((changes) => later.push(...changes));
      expect([later.length, store.cold.isEmpty("notes")]).toEqual([0, false]);
      const order = { columns: [{ column: "id", direction: "asc" as const }], prefix: [], limit: 99 };
      const window = await store.cold.window("notes", order, () => 4);
      expect(window?.rows.map((row) => row["id"])).toEqual(["", "A", "a", "n1", "n2", "ä", "日本", "\uFFFF", "👩‍👧"]);
    });

    test("its rows change, go and move into pages, and nothing else becomes of them", async () => {
      const name = await oldOne(lines);
      const store = open(name);
      const { replicaID } = await store.open(() => undefined);
      const { epoch } = await store.takeEpoch(replicaID);
      const changes = [note("n1", "new"), note("zz"), { table: "notes", id: "a", row: null }];
      await store.sync(replicaID, epoch, { ...nothing, changes });
      await store.append(replicaID, entriesOf("tab", 3));
      const { a: _gone, ...rest } = expectedTitles;
      const expected = { ...rest, n1: "new", zz: "a note" };
      expect(titles((await loadAll(open(name))).rows.get("notes"))).toEqual(expected);
      await store.fold();
      expect(await stored(name)).toMatchObject({ rows: 0, journal: 0, isLegacy: false });
      const after = await loadAll(open(name));
      expect(titles(after.rows.get("notes"))).toEqual(expected);
      expect(after.rows.get("measures")).toEqual([measure]);
      expect(outboxOf(after)).toEqual(["tab 2", "other 1", "tab 3"]);
    });

    test("a reset empties it too, and keeps what is to be kept", async () => {
      const name = await oldOne(lines);
      const store = open(name);
      await store.open(() => undefined);
      await store.reset(new Set(["measures"]));
      const after = await loadAll(open(name));
      expect([[...after.rows.keys()], after.outbox]).toEqual([["measures"], []]);
      expect(await stored(name)).toMatchObject({ rows: 0, isLegacy: false });
    });
  });

  describe(`a large database of format 2 on ${kind}`, () => {
    test("is upgraded without a look at its rows", async () => {
      const name = await largeOne(2000);
      const asked: string[] = [];
      const database = await openDatabase({
        name,
        version: FORMAT_VERSION,
        env: systemEnv,
        upgrade(opened, oldVersion, tx) {
          const { objectStore } = tx;
          tx.objectStore = (store) => (asked.push(store), objectStore.call(tx, store));
          upgrade(opened, oldVersion, tx);
        },
      });
      database.close();
      expect(asked).not.toContain("rows");
      expect((await stored(name)).rows).toBe(2010);
    });

    test("can be left after any step of moving its rows: each lies in one place, none is lost", async () => {
      const name = await largeOne(2000);
      const expected = titles((await loadAll(open(name))).rows.get("notes"));
      const seen = new Set<number>();
      for (let isDone = false; !isDone;) {
        const store = open(name);
        const { replicaID } = await store.open(() => undefined);
        // As a tab that is closed in the middle: the next step finds another replica's handle closed.
        const folding = codeOf(store.fold());
        await store.reign(replicaID);
        await store.reign(replicaID);
        store.close();
        await folding;
        const { rows, isLegacy } = await stored(name);
        seen.add(rows);
        expect(titles((await loadAll(open(name))).rows.get("notes"))).toEqual(expected);
        isDone = isLegacy === false;
      }
      expect(seen.size).toBeGreaterThan(2);
    }, 60_000);
  });
}
