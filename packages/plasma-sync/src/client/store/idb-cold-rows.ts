// Owns: IdbColdRows: a table's rows on disk as a tab asks for them that has opened the store: by id, in order, all of them.
// Invariants:
//   1. Pages are never changed, only replaced by others: a directory that was read once is true as long as its pages are
//      there. Where one is missing it is read again, in the same transaction.
//   2. Nothing is answered from a page that holds a commit which the tab has not heard of.
//   3. An index may hold keys that its rows no longer have, never lacks one: what it finds is compared with the row.

import { PlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { compareText } from "../../core/query/compare.ts";
import { readPages } from "./read-rows.ts";
import { directoryKey, idOf, readDirectory, type Directory, type RowDirectory } from "./directory.ts";
import { indexOfPage, type PageRef, type Pick, type Picked } from "./sorted-pages.ts";
import type { ColdOrder, ColdRows, ColdWindow } from "./store.ts";
import { createRowFit } from "./stored-row.ts";

export interface ColdRowsDeps {
  readonly schema: AnySchema;
  /** Reads in one transaction, and refuses where the replica is no longer the one that was opened. */
  readonly read: <T>(stores: readonly string[], body: (tx: IDBTransaction) => Promise<T>) => Promise<T>;
}

/** The pages of a table's rows, or of one of its indexes, as a tab that has heard of commits up to `seq` may see them. */
interface Source {
  readonly table: string;
  readonly columns?: readonly string[];
  readonly seq: () => number;
}

const ROWS = ["pages", "directories"];

export class IdbColdRows implements ColdRows {
  readonly #deps: ColdRowsDeps;
  readonly #directories = new Map<string, Directory>();

  constructor(deps: ColdRowsDeps) {
    this.#deps = deps;
  }

  /** Reads where the rows of all tables lie, in the transaction that opens the replica; forgets what was known. */
  async open(tx: IDBTransaction): Promise<void> {
    this.#directories.clear();
    await Promise.all([...this.#deps.schema.tablesByName.keys()].map((table) => this.#readDirectory(tx, { table })));
  }

  isEmpty(table: string): boolean {
    return this.#refsOf(table).length === 0;
  }

  byID(table: string, ids: readonly string[], seq: () => number): Promise<readonly Row[]> {
    return this.#deps.read(ROWS, async (tx) => {
      const wanted = new Set(ids);
      const rows = await this.#rowsOf(tx, { table, seq }, wanted);
      return rows.filter((row) => wanted.has(idOf(row))).map(this.#fit(table));
    });
  }

  async window(table: string, order: ColdOrder, seq: () => number): Promise<ColdWindow | null> {
    if (order.columns.length === 1) return this.#deps.read(ROWS, (tx) => this.#byOrderOfID(tx, { table, seq }, order));
    const { readWindow, servingIndex } = await import("./read-window.ts");
    const meta = this.#metaOf(table);
    const columns = servingIndex(meta, order);
    if (columns === null) return null;
    return this.#deps.read([...ROWS, "indexPages"], async (tx) => {
      const source = { table, columns, seq };
      // A walk goes from page to page of one directory.
      await this.#readDirectory(tx, source);
      return readWindow({
        meta,
        columns,
        order,
        directory: this.#directories.get(directoryKey(table).join()) as RowDirectory | undefined,
        keys: (pick) => this.#pages(tx, source, pick),
        rows: (ids) => this.#rowsOf(tx, { table, seq }, ids),
      });
    });
  }

  async stream(
    table: string,
    onRows: (rows: readonly Row[]) => void | Promise<void>,
    seq: () => number,
  ): Promise<void> {
    const fit = this.#fit(table);
    let next = this.#step(table, null, seq);
    for (;;) {
      const { rows, from } = await next;
      // The next ones are read while these are taken in.
      if (from !== null) next = this.#step(table, from, seq);
      next.catch(() => undefined);
      if (rows.length > 0) await onRows(rows.map(fit));
      if (from === null) return;
    }
  }

  /** Some pages' rows, those with ids from `from` on; and where the ones behind them begin, null at the end. */
  #step(
    table: string,
    from: string | null,
    seq: () => number,
  ): Promise<{ readonly rows: readonly Row[]; readonly from: string | null }> {
    return this.#deps.read(ROWS, async (tx) => {
      const { refs, picked, items } = await this.#pages<Row, string>(tx, { table, seq }, (all) => {
        const at = from === null ? 0 : indexOfPage(all, from, compareText);
        return upTo(all.slice(at), limits.storeStreamRows);
      });
      const behind = refs[refs.indexOf(picked.at(-1) as PageRef<string>) + 1];
      const rows = from === null ? items : items.filter((row) => compareText(idOf(row), from) >= 0);
      return { rows, from: behind?.first ?? null };
    });
  }

  async #byOrderOfID(tx: IDBTransaction, source: Source, order: ColdOrder): Promise<ColdWindow> {
    const { columns, prefix, from, limit } = order;
    const isBackwards = columns[0]?.direction === "desc";
    const start = (from ?? prefix)[0] as string | undefined;
    const { refs, picked, items } = await this.#pages<Row, string>(tx, source, (all) => {
      const walked = isBackwards ? all.toReversed() : all;
      const at = start === undefined ? 0 : indexOfPage(all, start, compareText);
      const [first, ...others] = walked.slice(isBackwards && start !== undefined ? all.length - 1 - at : at);
      // Of the first page rows may be left out.
      return first === undefined ? [] : [first, ...upTo(others, limit)];
    });
    const compare = (row: Row, id: Value | undefined) => compareText(idOf(row), id as string) * (isBackwards ? -1 : 1);
    const rows = (isBackwards ? [...items].sort((a, b) => compare(a, idOf(b))) : items).filter(
      (row) => prefix.every((id) => compare(row, id) === 0) && (from === undefined || compare(row, from[0]) > 0),
    );
    const isEnd = prefix.length > 0 || picked.at(-1) === refs.at(isBackwards ? 0 : -1);
    return { rows: rows.map(this.#fit(source.table)), isEnd };
  }

  /** The rows of the pages that may hold these ids. */
  async #rowsOf(tx: IDBTransaction, source: Source, ids: ReadonlySet<string>): Promise<readonly Row[]> {
    const { items } = await this.#pages<Row, string>(tx, source, (refs) => {
      const at = new Set([...ids].map((id) => indexOfPage(refs, id, compareText)));
      return refs.filter((_, i) => at.has(i));
    });
    return items;
  }

  /** The items of the pages that `pick` wants, in its order. */
  async #pages<Item, Key>(tx: IDBTransaction, source: Source, pick: Pick<Key>): Promise<Picked<Item, Key>> {
    const { table, columns = [], seq } = source;
    const store = tx.objectStore(columns.length === 0 ? "pages" : "indexPages");
    for (let refs = this.#refsOf<Key>(table, columns); ;) {
      const picked = pick(refs);
      const pages = await readPages<Item>(
        store,
        picked.map(({ page }) => page),
      );
      if (pages.every((page) => page !== undefined)) {
        const { emptiedAt = 0 } = this.#directories.get(directoryKey(table, columns).join()) ?? {};
        if (emptiedAt > seq() || pages.some((page) => page.seq > seq())) throw new PlasmaError("client/stale", {});
        return { refs, picked, items: pages.flatMap(({ items }) => items) };
      }
      await this.#readDirectory(tx, source);
      refs = this.#refsOf<Key>(table, columns);
    }
  }

  async #readDirectory(tx: IDBTransaction, { table, columns }: Omit<Source, "seq">): Promise<void> {
    const key = directoryKey(table, columns).join();
    const found = await readDirectory<Directory>(tx, table, columns);
    if (found === undefined) this.#directories.delete(key);
    else this.#directories.set(key, found);
  }

  #refsOf<Key = string>(table: string, columns: readonly string[] = []): readonly PageRef<Key>[] {
    return (this.#directories.get(directoryKey(table, columns).join())?.refs ?? []) as readonly PageRef<Key>[];
  }

  #metaOf(table: string): TableMeta {
    return this.#deps.schema.tablesByName.get(table) as TableMeta;
  }

  #fit(table: string): (row: Row) => Row {
    return createRowFit(this.#metaOf(table));
  }
}

/** The first of these pages that together hold `count` items. */
function upTo<Key>(refs: readonly PageRef<Key>[], count: number): readonly PageRef<Key>[] {
  let sum = 0;
  const end = refs.findIndex((ref) => (sum += ref.count) >= count);
  return end < 0 ? refs : refs.slice(0, end + 1);
}
