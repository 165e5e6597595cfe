// Owns: what a page measures of IndexedDB itself: rows packed into records of so many rows, of a size, in a form.

export interface LayoutCase {
  readonly rowsPerPage: number;
  readonly rowBytes: number;
  readonly form: "rows" | "json";
}

/** Milliseconds. */
export interface LayoutTimes {
  readonly write: number;
  readonly readAll: number;
  readonly readOne: number;
  readonly read100: number;
  readonly rewriteOne: number;
}

const ROW_COUNT = 10_000;

const done = (tx: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error ?? new Error("aborted"));
  });
const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("failed"));
  });

const nameOf = ({ rowsPerPage, rowBytes, form }: LayoutCase): string => `layout-${rowsPerPage}-${rowBytes}-${form}`;

function rowOf(i: number, rowBytes: number) {
  const id = `r${String(i).padStart(8, "0")}`;
  const text = `${i} `.repeat(rowBytes).slice(0, Math.max(0, rowBytes - 40));
  return { id, rank: i, at: 1.7e12 + i, done: i % 2 === 0, text };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function recordsOf({ rowsPerPage, rowBytes, form }: LayoutCase): unknown[] {
  const records: unknown[] = [];
  for (let i = 0; i < ROW_COUNT; i += rowsPerPage) {
    const rows = Array.from({ length: Math.min(rowsPerPage, ROW_COUNT - i) }, (_, j) => rowOf(i + j, rowBytes));
    records.push(form === "json" ? JSON.stringify(rows) : rows);
  }
  return records;
}

/** Writes all rows in one transaction into a new database. */
export async function write(layout: LayoutCase): Promise<number> {
  const open = indexedDB.open(nameOf(layout), 1);
  open.onupgradeneeded = () => open.result.createObjectStore("pages");
  const database = await resultOf(open);
  const records = recordsOf(layout);
  const ms = await timed(async () => {
    const tx = database.transaction("pages", "readwrite", { durability: "relaxed" });
    records.forEach((record, i) => tx.objectStore("pages").put(record, i));
    tx.commit();
    await done(tx);
  });
  database.close();
  return ms;
}

/** Reads what another page has written. */
export async function read(layout: LayoutCase): Promise<Omit<LayoutTimes, "write">> {
  const database = await resultOf(indexedDB.open(nameOf(layout), 1));
  const pageCount = Math.ceil(ROW_COUNT / layout.rowsPerPage);
  const rowsOf = (record: unknown): unknown[] =>
    (layout.form === "json" ? JSON.parse(record as string) : record) as unknown[];
  const getAll = async (keys: readonly number[]): Promise<number> => {
    const tx = database.transaction("pages", "readonly");
    const records = await Promise.all(keys.map((key) => resultOf(tx.objectStore("pages").get(key))));
    return records.reduce<number>((sum, record) => sum + rowsOf(record).length, 0);
  };
  const someKeys = (count: number) =>
    [...new Set(Array.from({ length: count }, (_, i) => (i * 7919 + 13) % ROW_COUNT))].map((row) =>
      Math.floor(row / layout.rowsPerPage),
    );
  const readOne = await timed(() => getAll([Math.floor(pageCount / 2)]));
  const read100 = await timed(() => getAll([...new Set(someKeys(100))]));
  const readAll = await timed(() => getAll(Array.from({ length: pageCount }, (_, i) => i)));
  const record = recordsOf({ ...layout })[0];
  const rewrites: number[] = [];
  for (let i = 0; i < 9; i++) {
    rewrites.push(
      await timed(async () => {
        const tx = database.transaction("pages", "readwrite", { durability: "relaxed" });
        tx.objectStore("pages").put(record, 0);
        tx.commit();
        await done(tx);
      }),
    );
  }
  database.close();
  const rewriteOne = rewrites.sort((a, b) => a - b)[4] ?? 0;
  return { readOne, read100, readAll, rewriteOne };
}

Object.assign(globalThis, { layout: { write, read } });
