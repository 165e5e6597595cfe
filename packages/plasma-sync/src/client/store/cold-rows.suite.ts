// Owns: what every Store must do for a tab that does not read all rows at once: `open` and `cold`.

import { describe, expect, test } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import { boolean, id, int, json, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { IndexColumn } from "../ivm/source.ts";
import type { BaseChange, ColdOrder, Store, StoreState } from "./store.ts";
import { codeOf, entriesOf, nothing } from "./store.suite.ts";

const lists = table("lists", { id: id(), name: text() });
const tasks = table(
  "tasks",
  {
    id: id(),
    listID: ref(() => lists.id),
    rank: int(),
    due: int().nullable(),
    done: boolean(),
    tree: json(),
  },
  { indexes: (t) => [[t.listID, t.rank], [t.due]] },
);
export const coldSchema = defineSchema({ lists, tasks });

export interface ColdSuite {
  /** Makes a handle on the replica called `name`, of `coldSchema`. */
  readonly open: (name: string) => Store;
  /** Makes everything cold that can be. */
  readonly fold: (name: string, store: Store) => Promise<void>;
  /** Whether anything ever is. */
  readonly isCold: boolean;
}

const taskOf = (i: number, more: { readonly [column: string]: Value } = {}): Row => ({
  id: `t${String(i).padStart(5, "0")}`,
  listID: `l${i % 3}`,
  rank: (i * 7) % 50,
  due: i % 5 === 0 ? null : (i * 13) % 11,
  done: i % 2 === 0,
  tree: { i },
  ...more,
});
const put = (row: Row, name = "tasks"): BaseChange => ({ table: name, id: row["id"] as string, row });
const del = (i: number): BaseChange => ({ table: "tasks", id: taskOf(i)["id"] as string, row: null });
const range = (from: number, to: number): Row[] => Array.from({ length: to - from }, (_, i) => taskOf(from + i));

const asc = (column: string): IndexColumn => ({ column, direction: "asc" });
const desc = (column: string): IndexColumn => ({ column, direction: "desc" });
const rank = (value: Value): number => (value === null ? -Infinity : typeof value === "number" ? value : 0);
const compare = (columns: readonly IndexColumn[]) => (a: Row, b: Row) => {
  for (const { column, direction } of columns) {
    const [x = null, y = null] = [a[column], b[column]];
    const order = typeof x === "string" ? (x < (y as string) ? -1 : x > (y as string) ? 1 : 0) : rank(x) - rank(y) || 0;
    if (order !== 0) return direction === "asc" ? order : -order;
  }
  return 0;
};

/** A tab that opened the store and keeps what it was handed and what it hears. */
async function openTab(store: Store) {
  const known = new Map<string, Row | null>();
  const learn = (changes: readonly BaseChange[]) => {
    for (const change of changes) known.set(`${change.table}/${change.id}`, change.row);
  };
  const handed: BaseChange[] = [];
  const state = await store.open((changes) => {
    handed.push(...changes);
    learn(changes);
  });
  let { seq } = state;
  const over = (name: string, rows: readonly Row[]) =>
    rows.filter((row) => !known.has(`${name}/${row["id"] as string}`));
  const knownOf = (name: string) =>
    [...known].flatMap(([key, row]) => (key.startsWith(`${name}/`) && row ? [row] : []));
  return {
    state,
    handed,
    hear(next: number, changes: readonly BaseChange[]) {
      seq = next;
      learn(changes);
    },
    seq: () => seq,
    async all(name: string): Promise<Row[]> {
      const rows: Row[] = [];
      if (!store.cold.isEmpty(name))
        await store.cold.stream(
          name,
          (batch) => void rows.push(...batch),
          () => seq,
        );
      return [...over(name, rows), ...knownOf(name)].sort(compare([asc("id")]));
    },
    /** What a window of an order shows: what is known laid over the cold rows, up to the last of them. */
    async window(name: string, order: ColdOrder): Promise<Row[] | null> {
      const cold = await store.cold.window(name, order, () => seq);
      if (cold === null) return null;
      const sort = compare(order.columns);
      const last = cold.rows.at(-1);
      const isIn = (row: Row) =>
        order.prefix.every((value, i) => row[order.columns[i]!.column] === value) &&
        (order.from === undefined ||
          sort(row, Object.fromEntries(order.columns.map(({ column }, i) => [column, order.from![i]!]))) > 0) &&
        (cold.isEnd || (last !== undefined && sort(row, last) <= 0));
      return [...over(name, cold.rows), ...knownOf(name).filter(isIn)].sort(sort);
    },
  };
}

async function loadRows(store: Store, name: string): Promise<Row[]> {
  const rows: Row[] = [];
  await store.load((one, batch) => void (one === name && rows.push(...batch)));
  return rows.sort(compare([asc("id")]));
}

export function coldRowsSuite(kind: string, { open, fold, isCold }: ColdSuite): void {
  async function begin() {
    const name = `cold-${systemEnv.randomUUID()}`;
    const store = open(name);
    const { replicaID } = await store.load(() => undefined);
    const { epoch } = await store.takeEpoch(replicaID);
    const sync = async (changes: readonly BaseChange[]) =>
      (await store.sync(replicaID, epoch, { ...nothing, changes })).seq;
    return { name, store, replicaID, sync, folded: () => fold(name, store) };
  }

  /** A store of 300 tasks, most of them cold, changed and deleted ones among them, and some in the latest commits. */
  async function filled() {
    const one = await begin();
    await one.sync([...range(0, 200).map((row) => put(row)), put({ id: "l0", name: "first" }, "lists")]);
    await one.sync(range(250, 300).map((row) => put(row)));
    await one.folded();
    await one.sync([put(taskOf(7, { rank: 99 })), del(8), put(taskOf(210)), del(299)]);
    await one.folded();
    await one.sync([put(taskOf(3, { rank: 77, due: 3 })), del(4), put(taskOf(220)), put(taskOf(400)), del(210)]);
    return one;
  }

  describe(`cold rows: ${kind}`, () => {
    test("a new replica opens with nothing, and no table has cold rows", async () => {
      const store = open(`cold-${systemEnv.randomUUID()}`);
      const tab = await openTab(store);
      expect(tab.state).toMatchObject({ seq: 0, cookie: null, outbox: [] });
      expect([tab.handed, store.cold.isEmpty("tasks"), store.cold.isEmpty("lists")]).toEqual([[], true, true]);
    });

    test("open gives the state that load gives", async () => {
      const { name, store, replicaID } = await filled();
      await store.append(replicaID, entriesOf("a", 1, 2));
      const [opened, loaded]: StoreState[] = [
        await open(name).open(() => undefined),
        await open(name).load(() => undefined),
      ];
      expect(opened).toEqual(loaded);
    });

    test("what open hands over, laid over all cold rows, is what load reads; each id is handed over once", async () => {
      const { name } = await filled();
      const tab = await openTab(open(name));
      expect(await tab.all("tasks")).toEqual(await loadRows(open(name), "tasks"));
      expect(await tab.all("lists")).toEqual([{ id: "l0", name: "first" }]);
      expect(new Set(tab.handed.map((change) => `${change.table}/${change.id}`)).size).toBe(tab.handed.length);
      if (isCold) expect(tab.handed.length).toBeLessThan(50);
    });

    test("rows by id are those that are there", async () => {
      const { name } = await filled();
      const store = open(name);
      await openTab(store);
      if (!isCold) return;
      const ids = [0, 9, 7, 199, 250, 298, 205, 500].map((i) => taskOf(i)["id"] as string);
      const rows = await store.cold.byID("tasks", ids, () => 99);
      expect([...rows].sort(compare([asc("id")]))).toEqual(
        [taskOf(0), taskOf(7, { rank: 99 }), taskOf(9), taskOf(199), taskOf(250), taskOf(298)].sort(
          compare([asc("id")]),
        ),
      );
      expect(await store.cold.byID("tasks", [], () => 99)).toEqual([]);
    });

    const orders: readonly (readonly [string, readonly IndexColumn[], readonly Value[]])[] = [
      ["by id", [asc("id")], []],
      ["by id, backwards", [desc("id")], []],
      ["by a reference", [asc("listID"), asc("id")], ["l1"]],
      ["by an index", [asc("listID"), asc("rank"), asc("id")], ["l2"]],
      ["by an index, backwards", [asc("listID"), desc("rank"), asc("id")], ["l0"]],
      ["by all columns of an index, one of them backwards", [desc("listID"), asc("rank"), desc("id")], []],
      ["by a column with nulls", [asc("due"), asc("id")], []],
      ["by a column with nulls, backwards", [desc("due"), asc("id")], []],
      ["by a column that is null", [asc("due"), desc("id")], [null]],
    ];
    test.each(orders)(
      "windows %s are those of all rows, one after another to the end",
      async (_name, columns, prefix) => {
        const { name } = await filled();
        const store = open(name);
        const tab = await openTab(store);
        const isWanted = (row: Row) => prefix.every((value, i) => row[columns[i]!.column] === value);
        const expected = (await loadRows(open(name), "tasks")).filter(isWanted).sort(compare(columns));
        const seen: Row[] = [];
        let from: readonly Value[] | undefined;
        for (let steps = 0; steps < 100; steps++) {
          const order: ColdOrder = { columns, prefix, limit: 20, ...(from && { from }) };
          const cold = await store.cold.window("tasks", order, tab.seq);
          seen.push(...((await tab.window("tasks", order)) ?? []));
          if (cold === null || cold.isEnd) break;
          from = columns.map(({ column }) => cold.rows.at(-1)![column]!);
        }
        expect(seen.map((row) => row["id"])).toEqual(expected.map((row) => row["id"]));
        expect(seen).toEqual(expected);
      },
    );

    test("an order that the disk does not serve has no window", async () => {
      const { name } = await filled();
      const store = open(name);
      const tab = await openTab(store);
      if (!isCold) return;
      const order = { columns: [asc("done"), asc("id")], prefix: [], limit: 3 };
      expect(await store.cold.window("tasks", order, tab.seq)).toBeNull();
    });

    test("commits that the tab has heard of lie over cold rows, folded or not", async () => {
      const one = await filled();
      const store = open(one.name);
      const tab = await openTab(store);
      const changes = [put(taskOf(0, { rank: 1 })), del(1), put(taskOf(500)), del(250)];
      tab.hear(await one.sync(changes), changes);
      const expected = await loadRows(open(one.name), "tasks");
      expect(await tab.all("tasks")).toEqual(expected);
      await one.folded();
      expect(await tab.all("tasks")).toEqual(expected);
      const window = await tab.window("tasks", { columns: [asc("id")], prefix: [], limit: 10 });
      expect(window).toEqual(expected.slice(0, window?.length ?? 0));
    });

    test("a page that holds a commit which the tab has not heard of is refused, and no row of it is handed over", async () => {
      if (!isCold) return;
      const one = await filled();
      const store = open(one.name);
      const tab = await openTab(store);
      const seq = await one.sync([put(taskOf(0, { rank: 1 }))]);
      await one.folded();
      const order = { columns: [asc("id")], prefix: [], limit: 3 };
      const first = taskOf(0)["id"] as string;
      const seen: string[] = [];
      const onRows = (rows: readonly Row[]) => void seen.push(...rows.map((row) => row["id"] as string));
      expect(await codeOf(store.cold.byID("tasks", [first], tab.seq))).toBe("client/stale");
      expect(await codeOf(store.cold.window("tasks", order, tab.seq))).toBe("client/stale");
      expect(await codeOf(store.cold.stream("tasks", onRows, tab.seq))).toBe("client/stale");
      expect(seen).not.toContain(first);
      tab.hear(seq, [put(taskOf(0, { rank: 1 }))]);
      expect(await codeOf(store.cold.byID("tasks", [first], tab.seq))).toBe("resolved");
    });

    test("after a reset cold rows are refused, and what is kept can be had by whoever opens it anew", async () => {
      if (!isCold) return;
      const one = await filled();
      const store = open(one.name);
      const tab = await openTab(store);
      await one.store.reset(new Set(["lists"]));
      expect(await codeOf(store.cold.byID("tasks", ["t00000"], tab.seq))).not.toBe("resolved");
      const again = await openTab(open(one.name));
      expect([again.state.seq, await again.all("lists"), await again.all("tasks")]).toEqual([
        0,
        [{ id: "l0", name: "first" }],
        [],
      ]);
    });
  });
}
