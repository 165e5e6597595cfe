// Owns: what must hold when a run has come to rest.

import type { Row } from "../../packages/plasma-sync/src/core/schema/value.ts";
import type { SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import type { App } from "./app.ts";
import type { RunScope } from "./run-scope.ts";
import { checkFiles } from "./check-files.ts";
import { checkDrafts } from "./check-drafts.ts";
import type { CallRecord, History } from "./history.ts";

/** What a world at rest may do: polls, a request each, what tabs say to each other. */
const EVENTS_PER_TAB_AND_MINUTE = 2000;

const REST_MS = 3000;

/** Asks every oracle; the first that objects is the run's violation. */
export async function checkEnd(run: RunScope): Promise<void> {
  const { history } = run;
  const rows = await serverRows(run);
  const receiptsByToken = new Map<string, number>();
  for (const { token } of rows("receipts"))
    receiptsByToken.set(String(token), (receiptsByToken.get(String(token)) ?? 0) + 1);
  const wrong = run.apps[run.serverVersion].check(rows, rows("receipts"));
  if (wrong !== null) history.violate(`on the server, ${wrong}`);
  for (const tab of run.openTabs) await checkTab(run, tab, rows);
  checkDrafts(run);
  if (history.violation === null) await checkFiles(run, rows("pictures"));
  for (const record of history.calls.values()) checkCall(history, record, receiptsByToken.get(record.token) ?? 0);
  checkChains(run, rows("chains"));
  if (history.violation === null) await checkRest(run);
}

async function serverRows(run: RunScope): Promise<(table: string) => readonly Row[]> {
  const { db } = run.world.server;
  const tables = new Map<string, readonly Row[]>();
  for (const [name, table] of run.apps[run.serverVersion].tables)
    tables.set(name, await run.during(Promise.resolve(db.select().from(table))));
  return (name) => tables.get(name) ?? [];
}

async function checkTab(run: RunScope, tab: SimTab, rows: (table: string) => readonly Row[]): Promise<void> {
  const { history } = run;
  const app = run.appOf(tab);
  const say = (what: string) => history.violate(`${tab.name} of ${tab.device.name} ${what}`);
  const { outboxDepth, firstSync, lastError } = tab.client.status.get();
  if (outboxDepth > 0) say(`still has ${outboxDepth} mutations to push (last error: ${JSON.stringify(lastError)})`);
  if (!firstSync.done) say(`has not ended its first sync (last error: ${JSON.stringify(lastError)})`);
  if (history.violation !== null) return;
  for (const [name, table] of app.tables) {
    const shown = ((await tab.client.db.select().from(table)) as unknown as Row[]).map(textOf).sort();
    if (app.schema.tablesByName.get(name)?.changeLogSuppressed === true) {
      const kept = [...tab.device.disk.table(name).values()].map(textOf).sort();
      if (shown.join() !== kept.join())
        return say(`shows [${shown.join(", ")}] of ${name}, the disk has [${kept.join(", ")}]`);
      continue;
    }
    const seen = app.sees(run.who(tab.device.user), name, rows);
    const expected = seen.map((row) => textOf(columnsOf(app, name, row))).sort();
    if (shown.join("\n") === expected.join("\n")) continue;
    const missing = expected.filter((row) => !shown.includes(row));
    const extra = shown.filter((row) => !expected.includes(row));
    return say(
      `does not show what the server has of ${name}: lacks [${missing.join(", ")}], has [${extra.join(", ")}]`,
    );
  }
}

/** As an app of that version knows the row. */
const columnsOf = (app: App, table: string, row: Row): Row => {
  const meta = app.schema.tablesByName.get(table);
  return Object.fromEntries(Object.entries(row).filter(([column]) => meta?.columnsByName.has(column)));
};

const textOf = (row: Row): string =>
  JSON.stringify(
    Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)),
    (_, value: unknown) =>
      typeof value === "bigint" ? `${value}n` : value instanceof Uint8Array ? `bytes ${[...value].join(" ")}` : value,
  );

function checkCall(history: History, record: CallRecord, receipts: number): void {
  const { token, tab, device, call, local, server, told, place, madeMs } = record;
  const say = (what: string) =>
    history.violate(`${call.name} ${token} of ${tab} (${device}; ${local}, ${server}, told ${told} times) ${what}`);
  const { restoredMs, resets, deaths } = history;
  if (receipts > 1) say(`took effect ${receipts} times`);
  if (told > 1) say("was told as refused more than once");
  const wasInRestore = restoredMs !== null && madeMs <= restoredMs;
  if (server === "rejected" && receipts > 0) say("was refused, and took effect");
  if (told > 0 && receipts > 0) say("was told as refused, and took effect");
  if (record.isLocal) {
    if (receipts > 0 || place !== null || server === "rejected") say("is of this device alone, and was sent");
    return;
  }
  if (server === "applied" && receipts === 0 && !wasInRestore && !resets.has(device))
    say("was applied, and has no effect");
  if (local === "failed" && receipts > 0) say("failed at the call, and took effect");
  if (place === null && receipts > 0) say("was never durable, and took effect");
  const mustEnd = place !== null && !resets.has(device) && !wasInRestore;
  if (mustEnd && receipts === 0 && told === 0 && !deaths.has(device))
    say("was durable, and is neither applied nor refused");
  if (history.vanished.has(token) && receipts > 0) say("left a view for a while, though it never throws");
}

/**
 * Calls of one device that were chained took effect in the order in which the device saved them. Over a restored backup that
 * holds for each tab alone: what the server has lost of one client shows only when a catch-up ends without it, and by then
 * another client of the replica may have pushed. Those of other tabs do not wait for the files of one tab either.
 */
function checkChains({ history, apps }: RunScope, chains: readonly Row[]): void {
  const hasFiles = apps.v1.tables.has("pictures");
  for (const { id, tokens } of chains) {
    const lastByLine = new Map<string, number>();
    for (const token of String(tokens).split(" ")) {
      const record = history.calls.get(token);
      const place = record?.place ?? null;
      if (record === undefined || place === null)
        return history.violate(`the chain of ${String(id)} holds ${token}, which was never durable`);
      // A reset gave it up; its push was on the way, and may arrive after those of the new replica.
      if (history.resets.has(record.device) && record.server !== "applied") continue;
      // There a mutation may be refused for its lost file, and what is lost of the tab's earlier client comes after its new one's.
      if (hasFiles && history.restoredMs !== null) continue;
      const line = history.restoredMs === null && !hasFiles ? "all tabs" : record.tab;
      if (place <= (lastByLine.get(line) ?? -1))
        return history.violate(`the chain of ${String(id)} is out of order at ${token}: ${String(tokens)}`);
      lastByLine.set(line, place);
    }
  }
}

/** Nothing spins and nothing piles up. */
async function checkRest(run: RunScope): Promise<void> {
  const { world, history } = run;
  const before = world.clock.eventCount;
  await world.clock.advance(REST_MS);
  const perMinute = (world.clock.eventCount - before) * (60_000 / REST_MS);
  if (perMinute > EVENTS_PER_TAB_AND_MINUTE * (1 + run.openTabs.length))
    history.violate(`a world at rest does ${perMinute} things a minute`);
}
