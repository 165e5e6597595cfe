// Owns: the page of the kill tests: it tells what it found on the device, then writes without a pause and tells each write whose
// promise has resolved. Its query: see PageQuery.

import { createPlasmaClient } from "../../packages/plasma-sync/src/client/client.ts";
import { inArray } from "../../packages/plasma-sync/src/core/query/expressions.ts";
import { drafts, entries, mutators, schema, sheet, stock, totals } from "./kill-app.ts";
import { leaveOldDatabase } from "./old-format.ts";
import type { FromPage, Numbers, PageQuery, ToPage, Written } from "./page-messages.ts";

const query = Object.fromEntries(new URLSearchParams(location.search)) as unknown as PageQuery;
const { writer } = query;
const control = new WebSocket(query.control);
const writing = { isOver: false };
let [entry, draft, marks, running] = [0, 0, 0, 0];
control.addEventListener("message", ({ data }) => {
  const message = JSON.parse(String(data)) as ToPage;
  if (message.type === "finish") writing.isOver = true;
  else if (message.type === "show") void show(message.entries);
  else void explain();
});
await new Promise((resolve) => control.addEventListener("open", resolve));
const tell = (message: FromPage) => control.send(JSON.stringify(message));
addEventListener("unhandledrejection", ({ reason }) => tell({ type: "error", writer, message: `unhandled ${reason}` }));
addEventListener("error", ({ message }) => tell({ type: "error", writer, message: `uncaught ${message}` }));

if (query.old !== "") {
  tell({ type: "old", writer: query.old, written: await leaveOldDatabase("plasma:kills:ada", query.old) });
}

const client = createPlasmaClient({
  schema,
  mutators,
  dbName: "kills",
  endpoint: "/sync",
  schemaVersion: query.schemaVersion,
  clientGroupID: "ada",
  getContext: () => ({}),
  pollIntervalMs: 300,
  retry: { initialDelayMs: 50, maxDelayMs: 300 },
  fetcher: async (request) => {
    if (query.network === "none") throw new TypeError("no network");
    const response = await fetch(request);
    if (query.network === "lossy" && Math.random() < 0.4) throw new TypeError("the answer was lost");
    return response;
  },
  onError: (error) => {
    // Until the first sync has ended nobody knows which of the rows are those of pending mutations.
    const isEarly = error.kind === "rebase-replay" && !client.status.get().firstSync.done;
    if (error.kind !== "network" && !isEarly)
      tell({ type: "error", writer, message: `${error.kind}: ${error.message}` });
  },
});
let toldRows = 0;
client.status.subscribe(() => {
  const { rows } = client.status.get().firstSync;
  if (rows > toldRows) tell({ type: "first-sync", writer, rows: (toldRows = rows) });
});

const before = query.before === "" ? [] : query.before.split(",");
const marked = await client.db.select().from(sheet);
tell({
  type: "found",
  writer,
  entries: await numbersIn(entries, before),
  drafts: await numbersIn(drafts, before),
  marks: [...new Set(marked.map(({ mark }) => mark))],
});

while (!writing.isOver) {
  await Promise.all(Array.from({ length: 1 + Math.floor(Math.random() * 6) }, write));
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 15));
  if (Math.random() < 0.1) await client.mutate.mark({ mark: `${writer} ${(marks += 1)}` });
}
while (client.status.get().outboxDepth > 0 || !client.status.get().firstSync.done) await client.flush();
tell({ type: "flushed", writer });

async function write(): Promise<void> {
  const kind = Math.random();
  const made: Written = {
    ...(kind < 0.85 && { entry: (entry += 1) }),
    ...(kind > 0.7 && { draft: (draft += 1) }),
  };
  running += 1;
  try {
    await client.mutate.write({ writer, ...made, text: "x".repeat(Math.random() * 300) });
    tell({ type: "acked", writer, ...made });
  } catch (error) {
    tell({ type: "error", writer, message: `a write rejected: ${String(error)}` });
  } finally {
    running -= 1;
  }
}

async function show(count: number): Promise<void> {
  const endMs = Date.now() + 10_000;
  for (;;) {
    await client.pullOnce();
    const [all, counts] = [await client.db.select().from(entries), await client.db.select().from(totals)];
    if (all.length !== count && Date.now() < endMs) continue;
    return tell({
      type: "shown",
      writer,
      entries: all.map(({ id }) => id).sort(),
      totals: Object.fromEntries(counts.map((total) => [total.id, total.count])),
      stock: (await client.db.select().from(stock)).length,
    });
  }
}

/** What lies on the device. */
function onDisk(): Promise<unknown> {
  return new Promise((resolve) => {
    const request = indexedDB.open("plasma:kills:ada");
    request.onerror = () => resolve(String(request.error));
    request.onsuccess = () => {
      const database = request.result;
      const tx = database.transaction(["meta", "outbox"]);
      const [meta, outbox] = [tx.objectStore("meta").get("replica"), tx.objectStore("outbox").count()];
      tx.oncomplete = () => {
        const { seq, epoch, nextOrder } = meta.result;
        resolve({ seq, epoch, nextOrder, outbox: outbox.result });
        database.close();
      };
    };
  });
}

async function explain(): Promise<void> {
  const pending = await client.pending();
  const { cookie: _, ...status } = client.status.get();
  const shown = { ...status, pending: pending.length, first: pending[0] };
  tell({
    type: "error",
    writer,
    message: JSON.stringify({ ...shown, clientID: client.clientID, running, disk: await onDisk() }),
  });
}

/** The numbers of the rows of these writers, as they lie here: a number that is there twice comes twice. */
async function numbersIn(from: typeof entries | typeof drafts, writers: readonly string[]): Promise<Numbers> {
  const found: Record<string, number[]> = Object.fromEntries(writers.map((name) => [name, []]));
  const rows = await client.db
    .select()
    .from(from)
    .where(inArray(from.writer, [...writers]));
  for (const row of rows) found[row.writer]?.push(row.n);
  return found;
}
