// The paged store under random use: two tabs, commits of all sizes, folds that end, die in the middle, or meet each other.
// Whatever happened, the disk has the state of its commits, and cold reads laid under what a tab has heard give it too.

import "fake-indexeddb/auto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import { id, int, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { createIdbStore, type IdbStore } from "./idb-store.ts";
import type { BaseChange, ColdOrder } from "./store.ts";
import { codeOf, nothing } from "./store.suite.ts";

const items = table("items", { id: id(), rank: int(), body: text() }, { indexes: (t) => [[t.rank]] });
const schema = defineSchema({ items });
/** So large that a page holds a dozen rows: pages are cut and joined. */
const BODY = "x".repeat(10_000);

type Step =
  | { readonly type: "edit"; readonly ids: readonly number[]; readonly rank: number }
  | { readonly type: "delete"; readonly from: number; readonly count: number }
  | { readonly type: "append"; readonly count: number }
  | { readonly type: "fold" }
  | { readonly type: "dieInFold"; readonly turns: number }
  | { readonly type: "foldBoth"; readonly turns: number; readonly ids: readonly number[]; readonly rank: number }
  | { readonly type: "reopen" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("edit" as const),
      ids: fc.array(fc.nat(400), { minLength: 1, maxLength: 20 }),
      rank: fc.nat(9),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("delete" as const),
      from: fc.nat(400),
      count: fc.integer({ min: 1, max: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("append" as const), count: fc.integer({ min: 1, max: 90 }) }) },
  { weight: 3, arbitrary: fc.constant<Step>({ type: "fold" }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("dieInFold" as const), turns: fc.nat(12) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("foldBoth" as const),
      turns: fc.nat(12),
      ids: fc.array(fc.nat(400), { minLength: 1, maxLength: 20 }),
      rank: fc.nat(9),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ type: "reopen" }) },
);

const idOf = (i: number) => `i${String(i).padStart(6, "0")}`;
const rowOf = (i: number, rank: number): Row => ({ id: idOf(i), rank, body: BODY });
const byText = (a: Row, b: Row) => ((a["id"] as string) < (b["id"] as string) ? -1 : 1);
const brief = (rows: Iterable<Row>) => [...rows].map((row) => `${row["id"] as string} ${row["rank"] as number}`);

class Trial {
  readonly #name = `fuzz-${systemEnv.randomUUID()}`;
  readonly #model = new Map<string, Row>();
  readonly #heard = new Map<string, Row | null>();
  #writer = this.#store();
  #reader = this.#store();
  #replicaID = "";
  #epoch = 0;
  #seq = 0;
  #next = 0;

  #store(): IdbStore {
    return createIdbStore({ name: this.#name, schema, env: systemEnv });
  }

  async begin(): Promise<void> {
    ({ replicaID: this.#replicaID } = await this.#writer.open(() => undefined));
    ({ epoch: this.#epoch } = await this.#writer.takeEpoch(this.#replicaID));
    await this.#reopen();
  }

  async run(one: Step): Promise<void> {
    switch (one.type) {
      case "edit":
        return this.#commit(one.ids.map((i) => ({ table: "items", id: idOf(i), row: rowOf(i, one.rank) })));
      case "delete":
        return this.#commit(
          Array.from({ length: one.count }, (_, i) => ({ table: "items", id: idOf(one.from + i), row: null })),
        );
      case "append": {
        const from = this.#next;
        this.#next += one.count;
        return this.#commit(
          Array.from({ length: one.count }, (_, i) => ({
            table: "items",
            id: idOf(from + i),
            row: rowOf(from + i, i % 7),
          })),
        );
      }
      case "fold":
        return this.#writer.fold();
      case "dieInFold": {
        const dying = this.#store();
        await dying.open(() => undefined);
        const folding = codeOf(dying.fold());
        for (let i = 0; i < one.turns; i++) await this.#writer.reign(this.#replicaID);
        dying.close();
        await folding;
        return undefined;
      }
      case "foldBoth": {
        const other = this.#store();
        await other.open(() => undefined);
        const folding = codeOf(other.fold());
        for (let i = 0; i < one.turns; i++) await this.#writer.reign(this.#replicaID);
        await this.#commit(one.ids.map((i) => ({ table: "items", id: idOf(i), row: rowOf(i, one.rank) })));
        await this.#writer.fold();
        // It has ended before, or when it saw the number of the second.
        expect(["resolved", "client/deposed"]).toContain(await folding);
        other.close();
        return undefined;
      }
      default:
        return this.#reopen();
    }
  }

  async check(): Promise<void> {
    const expected = brief([...this.#model.values()].sort(byText));
    const loaded: Row[] = [];
    await this.#store().load((_table, rows) => void loaded.push(...rows));
    expect(brief(loaded.sort(byText))).toEqual(expected);
    const cold: Row[] = [];
    await this.#reader.cold.stream(
      "items",
      (rows) => void cold.push(...rows),
      () => this.#seq,
    );
    const over = cold.filter((row) => !this.#heard.has(row["id"] as string));
    const known = [...this.#heard.values()].filter((row) => row !== null);
    expect(brief([...over, ...known].sort(byText))).toEqual(expected);
    expect(new Set(cold.map((row) => row["id"])).size).toBe(cold.length);
    await this.#checkWindow({
      columns: [
        { column: "rank", direction: "desc" },
        { column: "id", direction: "asc" },
      ],
      prefix: [],
      limit: 30,
    });
    await this.#checkWindow({ columns: [{ column: "id", direction: "desc" }], prefix: [], limit: 30 });
    const some = [...this.#model.keys()].filter((_, i) => i % 9 === 0 && !this.#heard.has([...this.#model.keys()][i]!));
    const found = await this.#reader.cold.byID("items", some, () => this.#seq);
    expect(brief([...found].sort(byText))).toEqual(brief(some.map((key) => this.#model.get(key)!).sort(byText)));
  }

  async #checkWindow(order: ColdOrder): Promise<void> {
    const window = await this.#reader.cold.window("items", order, () => this.#seq);
    if (window === null) return;
    const compare = (a: Row, b: Row) => {
      for (const { column, direction } of order.columns) {
        const [x, y] = [a[column] as string, b[column] as string];
        if (x !== y) return (x < y ? -1 : 1) * (direction === "asc" ? 1 : -1);
      }
      return 0;
    };
    const last = window.rows.at(-1);
    const isIn = (row: Row) => window.isEnd || (last !== undefined && compare(row, last) <= 0);
    const over = window.rows.filter((row) => !this.#heard.has(row["id"] as string));
    const shown = [...over, ...[...this.#heard.values()].filter((row) => row !== null && isIn(row))] as Row[];
    expect(brief(shown.sort(compare))).toEqual(brief([...this.#model.values()].filter(isIn).sort(compare)));
  }

  async #commit(changes: readonly BaseChange[]): Promise<void> {
    const { seq } = await this.#writer.sync(this.#replicaID, this.#epoch, { ...nothing, changes });
    this.#seq = seq;
    for (const { id: key, row } of changes) {
      this.#heard.set(key, row);
      if (row === null) this.#model.delete(key);
      else this.#model.set(key, row);
    }
  }

  async #reopen(): Promise<void> {
    this.#reader.close();
    this.#reader = this.#store();
    this.#heard.clear();
    const { seq } = await this.#reader.open((changes) => {
      for (const { id: key, row } of changes) this.#heard.set(key, row);
    });
    expect(seq).toBe(this.#seq);
  }
}

test("disk and cold reads have the state of the commits, whatever folds did", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const trial = new Trial();
      await trial.begin();
      for (const one of steps) {
        await trial.run(one);
        await trial.check();
      }
    }),
    { numRuns: 25 },
  );
}, 240_000);
