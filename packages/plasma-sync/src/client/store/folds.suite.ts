// Owns: when the store on IndexedDB folds, who does it, and what becomes of a fold that fails.

import { afterEach, describe, expect, test, vi } from "vitest";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { openDatabase, resultOf } from "./idb-requests.ts";
import { createIdbStore } from "./idb-store.ts";
import { FORMAT_VERSION, upgrade } from "./layout.ts";
import { codeOf, entriesOf, loadAll, note, nothing, schema } from "./store.suite.ts";

/** A store whose fold timers wait until they are fired. */
function open(name: string) {
  const timers: (() => void)[] = [];
  const env: Env = {
    ...systemEnv,
    setTimeout(fn, delayMs) {
      if (delayMs !== limits.storeFoldDelayMs) return systemEnv.setTimeout(fn, delayMs);
      timers.push(fn);
      return fn;
    },
    clearTimeout(handle) {
      const at = timers.indexOf(handle as () => void);
      if (at >= 0) timers.splice(at, 1);
      else systemEnv.clearTimeout(handle);
    },
  };
  return { store: createIdbStore({ name, schema, env }), timers };
}

async function opened() {
  const name = `folds-${systemEnv.randomUUID()}`;
  const one = open(name);
  const { replicaID } = await one.store.open(() => undefined);
  const { epoch } = await one.store.takeEpoch(replicaID);
  const sync = (ids: readonly number[], title?: string) =>
    one.store.sync(replicaID, epoch, { ...nothing, changes: ids.map((i) => note(`n${i}`, title)) });
  return { name, ...one, replicaID, sync };
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

async function countOf(name: string, store: string): Promise<number> {
  const database = await openDatabase({ name, version: FORMAT_VERSION, upgrade, env: systemEnv });
  const count = await resultOf(database.transaction(store).objectStore(store).count());
  database.close();
  return count;
}

export function foldsSuite(kind: string): void {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  describe(`folds on ${kind}`, () => {
    test("some commits wait in the journal; many bring a fold, once, when there is rest", async () => {
      const { name, store, timers, sync } = await opened();
      await sync(range(10));
      await sync(range(50));
      expect([timers.length, await countOf(name, "journal")]).toEqual([0, 2]);
      for (let i = 0; i < limits.storeFoldRowsMin / 50 + 1; i++) await sync(range(50), `${i}`);
      expect(timers.length).toBe(1);
      timers.shift()!();
      await store.fold();
      expect([await countOf(name, "journal"), await countOf(name, "pages")]).toEqual([0, 1]);
      expect(timers.length).toBe(0);
    });

    test("a tab that only appends mutations leaves the fold to the one that syncs", async () => {
      const { name, replicaID, sync, timers } = await opened();
      const other = open(name);
      await other.store.open(() => undefined);
      for (let i = 0; i < limits.storeFoldRowsMin / 50 + 1; i++) await sync(range(50), `${i}`);
      await other.store.append(replicaID, entriesOf("b", 1));
      expect([timers.length, other.timers.length]).toEqual([1, 0]);
    });

    test("a tab that takes over folds what the one before has left", async () => {
      const { name, replicaID, sync, store } = await opened();
      for (let i = 0; i < limits.storeFoldRowsMin / 50 + 1; i++) await sync(range(50), `${i}`);
      store.close();
      const other = open(name);
      await other.store.open(() => undefined);
      expect(other.timers.length).toBe(0);
      await other.store.takeEpoch(replicaID);
      expect(other.timers.length).toBe(1);
    });

    test("a closed store folds no more", async () => {
      const { sync, store, timers } = await opened();
      for (let i = 0; i < limits.storeFoldRowsMin / 50 + 1; i++) await sync(range(50), `${i}`);
      store.close();
      expect([timers.length, await codeOf(store.fold())]).toEqual([0, "client/closed"]);
    });

    test("many rows behind all others go to pages at once; a change of theirs goes into the journal over them", async () => {
      const { name, sync, store } = await opened();
      await sync(range(1000).map((i) => 1000 + i));
      expect(await countOf(name, "journal")).toBe(0);
      await sync(range(200).map((i) => 1900 + i));
      expect([await countOf(name, "journal"), (await loadAll(store)).rows.get("notes")?.length]).toEqual([1, 1100]);
      await sync(
        range(1100).map((i) => 1000 + i),
        "changed",
      );
      const rows = (await loadAll(store)).rows.get("notes");
      expect([rows?.length, rows?.every((row) => row["title"] === "changed")]).toEqual([1100, true]);
    });

    test("a commit behind one that made the journal too long waits for its fold", async () => {
      const { name, sync, store } = await opened();
      const all = range(limits.storeJournalRowsMax + 1).map((i) => 100_000 + i);
      await sync(all);
      await sync(all, "changed");
      await sync([100_000], "changed");
      expect(await countOf(name, "journal")).toBe(1);
      const rows = (await loadAll(store)).rows.get("notes");
      expect([rows?.length, rows?.every((row) => row["title"] === "changed")]).toEqual([all.length, true]);
    }, 60_000);

    test("a fold that the disk refuses changes nothing, and the next one does it all", async () => {
      const { name, sync, store } = await opened();
      await sync(range(300));
      await store.fold();
      await sync(range(50), "changed");
      const before = await loadAll(store);
      const put = IDBObjectStore.prototype.put;
      vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, ...args) {
        if (this.name === "pages") throw new DOMException("No space.", "QuotaExceededError");
        return put.apply(this, args);
      });
      expect(await codeOf(store.fold())).toBe("client/storage");
      vi.restoreAllMocks();
      expect(await loadAll(store)).toEqual(before);
      await store.fold();
      expect(await countOf(name, "journal")).toBe(0);
      const sorted = (rows: typeof before.rows) =>
        [...(rows.get("notes") ?? [])].sort((a, b) => (String(a["id"]) < String(b["id"]) ? -1 : 1));
      expect(sorted((await loadAll(store)).rows)).toEqual(sorted(before.rows));
    });
  });
}
