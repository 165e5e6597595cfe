// Owns: what the store on IndexedDB owes an app whose schema changes: one database, opened by one version after another.

import { describe, expect, test } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import { id, int, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { resultOf } from "./idb-requests.ts";
import { createIdbStore } from "./idb-store.ts";
import { databaseName } from "./layout.ts";
import type { Store } from "./store.ts";
import { codeOf, entriesOf, loadAll, note, nothing, outboxOf } from "./store.suite.ts";

const schemas = {
  "1": defineSchema({ notes: table("notes", { id: id(), title: text() }), gone: table("gone", { id: id() }) }),
  "2": defineSchema({
    notes: table("notes", { id: id(), rank: int().default(3), title: text() }),
    tags: table("tags", { id: id() }),
  }),
};
const open = (name: string, schemaVersion: keyof typeof schemas): Store =>
  createIdbStore({ name, schema: schemas[schemaVersion], schemaVersion, env: systemEnv });

/** A synced replica of version 1 with one row per table and two pending mutations. */
async function opened() {
  const name = databaseName(systemEnv.randomUUID(), "ada");
  const one = open(name, "1");
  const { replicaID } = await one.load(() => undefined);
  const { epoch } = await one.takeEpoch(replicaID);
  const changes = [note("n1"), { table: "gone", id: "g", row: { id: "g" } }];
  await one.sync(replicaID, epoch, { ...nothing, changes, cookie: "c1", firstSync: { done: true, rows: 2 } });
  await one.append(replicaID, entriesOf("a", 1, 2));
  return { name, one, replicaID, epoch };
}

/** How every use of a store ends. */
async function useAll(store: Store, replicaID: string, epoch: number): Promise<string[]> {
  return Promise.all([
    codeOf(store.append(replicaID, entriesOf("b", 1))),
    codeOf(store.sync(replicaID, epoch, { ...nothing, changes: [note("n2")] })),
    codeOf(store.takeEpoch(replicaID)),
    codeOf(store.load(() => undefined)),
    codeOf(store.reset()),
  ]);
}

const outdated = Array.from({ length: 5 }, () => "client/outdated");

export function storeVersionsSuite(kind: string): void {
  describe(`store versions on ${kind}`, () => {
    test("another version finds identity, rows and outbox, rows as its schema says, and the cookie forgotten", async () => {
      const { name, one, replicaID } = await opened();
      one.close();
      const loaded = await loadAll(open(name, "2"));
      expect(loaded).toMatchObject({ replicaID, cookie: null, firstSync: { done: true, rows: 2 } });
      expect([...loaded.rows]).toEqual([["notes", [{ id: "n1", rank: 3, title: "a note" }]]]);
      expect(outboxOf(loaded)).toEqual(["a 1", "a 2"]);
      expect(loaded.outbox.map(({ schemaVersion }) => schemaVersion)).toEqual(["1", "1"]);
      expect(Object.fromEntries(loaded.lastIDs)).toEqual({ a: 2 });
    });

    test("a reload of the same version keeps the cookie", async () => {
      const { name } = await opened();
      expect((await loadAll(open(name, "1"))).cookie).toBe("c1");
    });

    test("from then on the other version can neither write nor read, and leaves everything as it is", async () => {
      const { name, one, replicaID, epoch } = await opened();
      const two = open(name, "2");
      const before = await loadAll(two);
      expect(await useAll(one, replicaID, epoch)).toEqual(outdated);
      expect(await loadAll(two)).toEqual(before);
    });

    test("an older version that is opened again takes the database back, and the newer one is told", async () => {
      const { name, replicaID } = await opened();
      const two = open(name, "2");
      await two.load(() => undefined);
      const { epoch } = await two.takeEpoch(replicaID);
      const row = { id: "n1", rank: 9, title: "two's" };
      await two.sync(replicaID, epoch, { ...nothing, changes: [{ table: "notes", id: "n1", row }], cookie: "c2" });
      const back = await loadAll(open(name, "1"));
      expect([back.cookie, back.rows.get("notes"), back.rows.get("gone")]).toEqual([
        null,
        [{ id: "n1", title: "two's" }],
        [{ id: "g" }],
      ]);
      expect(await useAll(two, replicaID, epoch)).toEqual(outdated);
    });

    test("two versions that open at once do not take the database from each other for ever", async () => {
      const { name } = await opened();
      const stores = ["1", "2", "1", "2"].map((version) => open(name, version as "1" | "2"));
      const codes = await Promise.all(stores.map((store) => codeOf(store.load(() => undefined))));
      expect(codes).toContain("resolved");
      // Whoever was told that it may go on and has been overtaken since is told at its next use.
      const again = await Promise.all(stores.map((store) => codeOf(store.load(() => undefined))));
      const winners = ["1", "2", "1", "2"].filter((_, i) => again[i] === "resolved");
      expect(new Set(winners).size).toBe(1);
    });

    test("a database from before versions were kept is taken over as it is", async () => {
      const { name, one, replicaID } = await opened();
      one.close();
      const database = await resultOf(indexedDB.open(name));
      const tx = database.transaction("meta", "readwrite");
      const { schemaVersion: _, ...meta } = await resultOf(tx.objectStore("meta").get("replica"));
      await resultOf(tx.objectStore("meta").put(meta, "replica"));
      database.close();
      const loaded = await loadAll(open(name, "1"));
      expect([loaded.replicaID, loaded.cookie, outboxOf(loaded)]).toEqual([replicaID, null, ["a 1", "a 2"]]);
    });

    test("a reset replica keeps its version", async () => {
      const { name, one } = await opened();
      await one.reset();
      expect((await loadAll(one)).rows.size).toBe(0);
      const two = open(name, "2");
      await two.load(() => undefined);
      expect(await codeOf(one.reset())).toBe("client/outdated");
    });
  });
}
