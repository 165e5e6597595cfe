// Owns: what every Store must do. `openStore` makes another handle on the same replica, as a second tab would.

import { describe, expect, test } from "vitest";
import { isPlasmaError } from "../../core/error.ts";
import { systemEnv } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { bigint, blob, id, int, json, real, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import type { BaseChange, NewOutboxEntry, Store, StoreState, SyncCommit, UnsentRejection } from "./store.ts";

const notes = table("notes", { id: id(), title: text() });
const measures = table("measures", {
  id: id(),
  big: bigint(),
  bytes: blob(),
  amount: real(),
  count: int(),
  tree: json(),
});
export const schema = defineSchema({ notes, measures });

/** Entries `first`, `first + 1`, … of a client. */
export const entriesOf = (clientID: string, first: number, count = 1): NewOutboxEntry[] =>
  Array.from({ length: count }, (_, i) => ({
    clientID,
    id: first + i,
    name: "addNote",
    args: { title: `${clientID} ${first + i}` },
    timestamp: 1000 + i,
    seed: `${clientID}${first + i}`,
    base: null,
    schemaVersion: "1",
  }));

export const note = (noteID: string, title = "a note"): BaseChange => ({
  table: "notes",
  id: noteID,
  row: { id: noteID, title },
});

export const nothing: SyncCommit = { changes: [], confirmed: {}, rejected: [] };

export interface Loaded extends StoreState {
  /** Rows by table, in the order in which they came. */
  readonly rows: ReadonlyMap<string, readonly Row[]>;
  readonly batches: readonly { readonly table: string; readonly count: number }[];
}

export async function loadAll(store: Store): Promise<Loaded> {
  const rows = new Map<string, Row[]>();
  const batches: { table: string; count: number }[] = [];
  const state = await store.load((name, batch) => {
    rows.set(name, [...(rows.get(name) ?? []), ...batch]);
    batches.push({ table: name, count: batch.length });
  });
  return { ...state, rows, batches };
}

/** The outbox as "client id" in order. */
export const outboxOf = ({ outbox }: StoreState): string[] =>
  outbox.map(({ clientID, id: entryID }) => `${clientID} ${entryID}`);

export const codeOf = (write: Promise<unknown>): Promise<string> =>
  write.then(
    () => "resolved",
    (error: unknown) => (isPlasmaError(error) ? error.code : String(error)),
  );

/** `open` makes a handle on the replica called `name`; two handles of one name are two tabs. */
export function storeSuite(kind: string, open: (name: string) => Store): void {
  const freshName = () => `suite-${systemEnv.randomUUID()}`;
  async function openTabs(): Promise<{ readonly one: Store; readonly two: Store; readonly replicaID: string }> {
    const name = freshName();
    const [one, two] = [open(name), open(name)];
    // Both are open, so that what a test starts at once runs at once.
    const [{ replicaID }] = await Promise.all([loadAll(one), loadAll(two)]);
    return { one, two, replicaID };
  }

  describe(`store: ${kind}`, () => {
    test("a new replica is empty and has an identity that every tab sees", async () => {
      const name = freshName();
      const [one, two] = [open(name), open(name)];
      const [first, second] = await Promise.all([loadAll(one), loadAll(two)]);
      expect(first).toMatchObject({ seq: 0, cookie: null, firstSync: { done: false, rows: 0 }, outbox: [] });
      expect([first.rows.size, first.lastIDs.size]).toEqual([0, 0]);
      expect(first.replicaID).not.toBe("");
      expect(second.replicaID).toBe(first.replicaID);
    });

    test("commits of two tabs are numbered without a hole", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      const commits = await Promise.all([
        one.append(replicaID, entriesOf("a", 1)),
        two.append(replicaID, entriesOf("b", 1, 2)),
        one.sync(replicaID, epoch, { ...nothing, changes: [note("n1")] }),
        two.append(replicaID, entriesOf("b", 3)),
      ]);
      expect(commits.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
      expect((await loadAll(two)).seq).toBe(4);
    });

    test("interleaved appends of two clients get one total order, the same for both", async () => {
      const { one, two, replicaID } = await openTabs();
      const writes: Promise<unknown>[] = [];
      for (let i = 0; i < 20; i++) {
        writes.push(one.append(replicaID, entriesOf("a", 1 + 2 * i, 2)), two.append(replicaID, entriesOf("b", 1 + i)));
      }
      await Promise.all(writes);
      const [seenByOne, seenByTwo] = [await loadAll(one), await loadAll(two)];
      const orders = seenByOne.outbox.map(({ order }) => order);
      expect(orders).toEqual(Array.from({ length: 60 }, (_, i) => orders[0]! + i));
      expect(outboxOf(seenByTwo)).toEqual(outboxOf(seenByOne));
      for (const client of ["a", "b"]) {
        const ids = seenByOne.outbox.filter(({ clientID }) => clientID === client).map(({ id: entryID }) => entryID);
        expect(ids).toEqual(ids.map((_, i) => i + 1));
      }
      expect(Object.fromEntries(seenByOne.lastIDs)).toEqual({ a: 40, b: 20 });
    });

    test("an append tells the entries as they are stored", async () => {
      const { one, replicaID } = await openTabs();
      const commit = await one.append(replicaID, entriesOf("a", 1, 3));
      expect(commit.entries).toEqual((await loadAll(one)).outbox);
    });

    test.each([
      ["that leaves out an id", () => entriesOf("a", 3)],
      ["that repeats an id", () => entriesOf("a", 1)],
      ["with a hole inside", () => [...entriesOf("a", 2), ...entriesOf("a", 4)]],
      ["of two clients", () => [...entriesOf("a", 2), ...entriesOf("b", 3)]],
      ["of an unknown client that does not begin at 1", () => entriesOf("b", 2)],
      ["of nothing", () => []],
    ])("an append %s is refused and writes nothing", async (_what, entries) => {
      const { one, replicaID } = await openTabs();
      await one.append(replicaID, entriesOf("a", 1));
      expect(await codeOf(one.append(replicaID, entries()))).toBe("bug/invariant");
      const after = await loadAll(one);
      expect([after.seq, outboxOf(after)]).toEqual([1, ["a 1"]]);
      expect((await one.append(replicaID, entriesOf("a", 2))).seq).toBe(2);
    });

    test("ids go on where they were after the outbox was confirmed", async () => {
      const { one, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1, 2));
      await one.sync(replicaID, epoch, { ...nothing, confirmed: { a: 2 } });
      const orders = (await one.append(replicaID, entriesOf("a", 3))).entries.map(({ order }) => order);
      expect(outboxOf(await loadAll(one))).toEqual(["a 3"]);
      expect(orders).toEqual([3]);
    });

    test("a sync writes rows, cookie and first sync, and drops confirmed and refused entries, as one commit", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1, 3));
      await two.append(replicaID, entriesOf("b", 1, 2));
      const commit: SyncCommit = {
        changes: [note("n1"), note("n2"), note("n3")],
        cookie: "c1",
        confirmed: { a: 2, unheardOf: 7 },
        rejected: [{ clientID: "b", id: 1, code: "mutation/app", message: "no" }],
        firstSync: { done: true, rows: 3 },
      };
      expect(await one.sync(replicaID, epoch, commit)).toEqual({ type: "sync", replicaID, seq: 3, sync: commit });
      await one.sync(replicaID, epoch, {
        ...nothing,
        changes: [note("n2", "changed"), { table: "notes", id: "n3", row: null }],
      });
      const after = await loadAll(two);
      expect(after).toMatchObject({ seq: 4, cookie: "c1", firstSync: { done: true, rows: 3 } });
      expect(outboxOf(after)).toEqual(["a 3", "b 2"]);
      expect(after.rows.get("notes")).toEqual([note("n1").row, note("n2", "changed").row]);
      await one.sync(replicaID, epoch, { ...nothing, cookie: null });
      expect((await loadAll(one)).cookie).toBeNull();
    });

    test("renumbered entries keep their place and their client is known from then on", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1));
      await two.append(replicaID, entriesOf("b", 1));
      await one.append(replicaID, entriesOf("a", 2));
      const old = (await loadAll(one)).outbox.filter(({ clientID }) => clientID === "a");
      await one.sync(replicaID, epoch, { ...nothing, replace: old.map((entry) => ({ ...entry, clientID: "new" })) });
      const after = await loadAll(two);
      expect(outboxOf(after)).toEqual(["new 1", "b 1", "new 2"]);
      expect(after.lastIDs.get("new")).toBe(2);
      expect((await one.append(replicaID, entriesOf("new", 3))).seq).toBe(5);
    });

    const unsentOf = ({ outbox }: StoreState, clientID: string, entryID: number): UnsentRejection => {
      const entry = outbox.find((one) => one.clientID === clientID && one.id === entryID);
      return { clientID, id: entryID, seed: entry?.seed ?? "", code: "blob/refused", message: "no" };
    };

    test("an entry refused before it was sent leaves, and the later ones of its client move down and keep their places", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1, 2));
      await two.append(replicaID, entriesOf("b", 1, 2));
      await one.append(replicaID, entriesOf("a", 3, 2));
      const before = await loadAll(one);
      const commit: SyncCommit = { ...nothing, unsent: unsentOf(before, "a", 2) };
      expect(await one.sync(replicaID, epoch, commit)).toEqual({ type: "sync", replicaID, seq: 4, sync: commit });
      const after = await loadAll(two);
      expect(outboxOf(after)).toEqual(["a 1", "b 1", "b 2", "a 2", "a 3"]);
      expect(after.outbox.map(({ seed, order }) => [seed, order])).toEqual(
        before.outbox.filter(({ seed }) => seed !== "a2").map(({ seed, order }) => [seed, order]),
      );
      expect(Object.fromEntries(after.lastIDs)).toEqual({ a: 3, b: 2 });
      expect(after.refused).toEqual([{ ...commit.unsent }]);
      expect((await one.append(replicaID, entriesOf("a", 4))).entries[0]?.id).toBe(4);
    });

    test("the last and only entry of a client can be refused unsent: it begins at 1 again", async () => {
      const { one, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1));
      await one.sync(replicaID, epoch, { ...nothing, unsent: unsentOf(await loadAll(one), "a", 1) });
      expect([outboxOf(await loadAll(one)), (await loadAll(one)).lastIDs.get("a")]).toEqual([[], 0]);
      expect((await one.append(replicaID, entriesOf("a", 1))).entries[0]?.id).toBe(1);
    });

    test("a tab that has not heard that ids moved down gets the ids that follow, and no tab skips more than moved", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await two.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1, 3));
      for (const entryID of [1, 1])
        await two.sync(replicaID, epoch, { ...nothing, unsent: unsentOf(await loadAll(two), "a", entryID) });
      const commit = await one.append(replicaID, entriesOf("a", 4, 2));
      expect(commit.entries.map(({ id: entryID, seed }) => [entryID, seed])).toEqual([
        [2, "a4"],
        [3, "a5"],
      ]);
      expect(outboxOf(await loadAll(two))).toEqual(["a 1", "a 2", "a 3"]);
      expect(await codeOf(one.append(replicaID, entriesOf("a", 7)))).toBe("bug/invariant");
      expect(await codeOf(one.append(replicaID, entriesOf("a", 3)))).toBe("bug/invariant");
    });

    test("an unsent refusal of an entry that is another by now changes nothing", async () => {
      const { one, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1, 3));
      const unsent = unsentOf(await loadAll(one), "a", 2);
      await one.sync(replicaID, epoch, { ...nothing, unsent });
      await one.sync(replicaID, epoch, { ...nothing, unsent });
      expect((await loadAll(one)).outbox.map(({ seed }) => seed)).toEqual(["a1", "a3"]);
      expect((await loadAll(one)).lastIDs.get("a")).toBe(2);
    });

    test("a refusal of the server is kept with the seed of its mutation, where it is still there", async () => {
      const { one, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1, 2));
      const no = (entryID: number) => ({ clientID: "a", id: entryID, code: "mutation/app", message: "no" });
      await one.sync(replicaID, epoch, { ...nothing, rejected: [no(2), no(9)] });
      expect((await loadAll(one)).refused).toEqual([{ ...no(2), seed: "a2" }, no(9)]);
    });

    test("the files of an entry are kept with it", async () => {
      const { one, two, replicaID } = await openTabs();
      const [entry] = entriesOf("a", 1);
      await one.append(replicaID, [{ ...(entry as NewOutboxEntry), files: ["aa", "bb"] }]);
      expect((await loadAll(two)).outbox[0]?.files).toEqual(["aa", "bb"]);
    });

    test("a deposed leader is refused, whatever it writes, and nothing of it is there", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch: old } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1));
      const { epoch, seq } = await two.takeEpoch(replicaID);
      expect(epoch).toBeGreaterThan(old);
      expect(seq, "the commits before it").toBe(1);
      const late: SyncCommit = { changes: [note("late")], cookie: "late", confirmed: { a: 1 }, rejected: [] };
      expect(await codeOf(one.sync(replicaID, old, late))).toBe("client/deposed");
      const after = await loadAll(one);
      expect(after).toMatchObject({ seq: 1, cookie: null });
      expect([outboxOf(after), after.rows.size]).toEqual([["a 1"], 0]);
      expect((await two.sync(replicaID, epoch, nothing)).seq).toBe(2);
      expect((await one.append(replicaID, entriesOf("a", 2))).seq).toBe(3);
    });

    test("every tab can ask whose reign it is and how many commits there are, without changing either", async () => {
      const { one, two, replicaID } = await openTabs();
      expect(await one.reign(replicaID)).toMatchObject({ seq: 0 });
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1));
      await one.sync(replicaID, epoch, nothing);
      expect(await two.reign(replicaID)).toEqual({ epoch, seq: 2 });
      const { epoch: next } = await two.takeEpoch(replicaID);
      expect(await one.reign(replicaID)).toEqual({ epoch: next, seq: 2 });
      await two.reset();
      expect(await codeOf(one.reign(replicaID))).toBe("client/deposed");
    });

    test("a reset empties the replica, gives it a new identity and refuses whoever has not heard of it", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.append(replicaID, entriesOf("a", 1));
      await one.sync(replicaID, epoch, {
        ...nothing,
        changes: [note("n1")],
        cookie: "c1",
        firstSync: { done: true, rows: 1 },
      });
      await two.reset();
      expect(await codeOf(one.append(replicaID, entriesOf("a", 2)))).toBe("client/deposed");
      expect(await codeOf(one.sync(replicaID, epoch, { ...nothing, changes: [note("n2")] }))).toBe("client/deposed");
      expect(await codeOf(one.takeEpoch(replicaID))).toBe("client/deposed");
      const after = await loadAll(one);
      expect(after.replicaID).not.toBe(replicaID);
      expect(after).toMatchObject({ seq: 0, cookie: null, firstSync: { done: false, rows: 0 }, outbox: [] });
      expect([after.rows.size, after.lastIDs.size]).toEqual([0, 0]);
      expect((await one.append(after.replicaID, entriesOf("a", 1))).seq).toBe(1);
    });

    test("an append writes local-only rows with its entries, or alone, as one commit that tells them", async () => {
      const { one, two, replicaID } = await openTabs();
      const both = await one.append(replicaID, entriesOf("a", 1), [note("n1"), note("n2")]);
      expect(both).toEqual({
        type: "append",
        replicaID,
        seq: 1,
        entries: (await loadAll(one)).outbox,
        changes: [note("n1"), note("n2")],
      });
      const alone = await two.append(replicaID, [], [note("n1", "changed"), { table: "notes", id: "n2", row: null }]);
      expect(alone).toMatchObject({ seq: 2, entries: [] });
      const after = await loadAll(one);
      expect([after.seq, outboxOf(after), after.rows.get("notes")]).toEqual([2, ["a 1"], [note("n1", "changed").row]]);
      expect(Object.fromEntries(after.lastIDs)).toEqual({ a: 1 });
      expect((await one.append(replicaID, entriesOf("a", 2))).entries[0]).toMatchObject({ order: 2 });
    });

    test("a reset leaves the rows of tables that are to be kept, and of no other", async () => {
      const { one, two, replicaID } = await openTabs();
      await one.append(replicaID, entriesOf("a", 1), [note("n1"), { table: "measures", id: "m", row: { id: "m" } }]);
      await two.reset(new Set(["notes"]));
      const after = await loadAll(one);
      expect(after).toMatchObject({ seq: 0, outbox: [] });
      expect([...after.rows.keys()]).toEqual(["notes"]);
      await two.reset(new Set(["measures", "notes", "zzz"]));
      expect((await loadAll(one)).rows.get("notes")).toEqual([note("n1").row]);
      await two.reset(new Set(["measures"]));
      expect((await loadAll(one)).rows.size).toBe(0);
    });

    test("a load while another tab writes is of one moment", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      const loads: Promise<Loaded>[] = [];
      const writes: Promise<unknown>[] = [];
      // Commit n makes every note say n, has cookie n and leaves n entries in the outbox.
      for (let n = 1; n <= 12; n++) {
        writes.push(one.append(replicaID, entriesOf("a", n)));
        writes.push(
          one.sync(replicaID, epoch, {
            ...nothing,
            changes: ["x", "y", "z"].map((name) => note(name, `${n}`)),
            cookie: `${n}`,
          }),
        );
        loads.push(loadAll(two));
      }
      await Promise.all(writes);
      const moments = await Promise.all(loads);
      expect(new Set(moments.map(({ seq }) => seq)).size).toBeGreaterThan(3);
      for (const { seq, cookie, rows, outbox } of moments) {
        const moment = cookie === null ? 0 : Number(cookie);
        expect((rows.get("notes") ?? []).map(({ title }) => title)).toEqual(
          moment === 0 ? [] : [cookie, cookie, cookie],
        );
        expect(outbox.length).toBe(Math.ceil(seq / 2));
        expect(moment).toBe(Math.floor(seq / 2));
      }
    });

    test("values and ids of every kind come back as they were", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      const ids = ["", "a", "A", "ä", "a\u0308", "日本", "👩‍👩‍👧", "\uFFFF", "a/b", "[]", "0", "10", "9", " "];
      const rows = ids.map((rowID, i): Row => ({
        id: rowID,
        big: i % 2 === 0 ? 9223372036854775807n : -9223372036854775808n,
        bytes: new Uint8Array([0, 255, i]),
        amount: i === 0 ? -0 : i / 3,
        count: Number.MAX_SAFE_INTEGER - i,
        tree: { list: [1, null, { deep: "日本" }], flag: true },
      }));
      await one.sync(replicaID, epoch, {
        ...nothing,
        changes: rows.map((row) => ({ table: "measures", id: row["id"] as string, row })),
      });
      const loaded = new Map((await loadAll(two)).rows.get("measures")?.map((row) => [row["id"], row]));
      expect(loaded.size).toBe(ids.length);
      for (const row of rows) expect(loaded.get(row["id"] as string)).toStrictEqual(row);
      expect(Object.is(loaded.get("")?.["amount"], -0)).toBe(true);
      expect(loaded.get("a")?.["bytes"]).toBeInstanceOf(Uint8Array);
      await one.sync(replicaID, epoch, {
        ...nothing,
        changes: ids.map((rowID) => ({ table: "measures", id: rowID, row: null })),
      });
      expect((await loadAll(two)).rows.size).toBe(0);
    });

    test("more rows than one batch holds come in several batches, each row once", async () => {
      const { one, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      const count = limits.storeBatchRowsMax + 1;
      const changes = Array.from({ length: count }, (_, i) => note(`n${i}`));
      await one.sync(replicaID, epoch, {
        ...nothing,
        changes: [...changes, { table: "measures", id: "m", row: { id: "m" } }],
      });
      const { rows, batches } = await loadAll(one);
      expect(batches.filter((batch) => batch.table === "notes").map((batch) => batch.count)).toEqual([
        limits.storeBatchRowsMax,
        1,
      ]);
      expect(new Set(rows.get("notes")?.map((row) => row["id"])).size).toBe(count);
      expect(rows.get("measures")?.length).toBe(1);
    });

    test("exactly as many rows as one batch holds come without an empty batch", async () => {
      const { one, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.sync(replicaID, epoch, {
        ...nothing,
        changes: Array.from({ length: limits.storeBatchRowsMax }, (_, i) => note(`n${i}`)),
      });
      expect((await loadAll(one)).batches).toEqual([{ table: "notes", count: limits.storeBatchRowsMax }]);
    });

    test("20 000 rows in one commit are all there", async () => {
      const { one, two, replicaID } = await openTabs();
      const { epoch } = await one.takeEpoch(replicaID);
      await one.sync(replicaID, epoch, {
        ...nothing,
        changes: Array.from({ length: 20_000 }, (_, i) => note(`n${i}`, `title ${i}`)),
      });
      const { rows, seq } = await loadAll(two);
      expect([seq, rows.get("notes")?.length]).toEqual([1, 20_000]);
      expect(rows.get("notes")?.every((row) => row["title"] === `title ${(row["id"] as string).slice(1)}`)).toBe(true);
    }, 60_000);

    test("closing twice does nothing the second time, and other tabs go on", async () => {
      const { one, two, replicaID } = await openTabs();
      const last = one.append(replicaID, entriesOf("a", 1));
      await last;
      one.close();
      one.close();
      expect((await two.append(replicaID, entriesOf("b", 1))).seq).toBe(2);
      expect(outboxOf(await loadAll(two))).toEqual(["a 1", "b 1"]);
    });
  });
}
