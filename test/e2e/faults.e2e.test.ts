// What browsers do to a local database under an open page: no room, no permission, data cleared, connections that die, a clock
// that is set back, a tab that freezes. Each ends as promised: nothing saved is lost, nothing lost is called saved.
import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startServer, type ServerProcess } from "../kills/server-process.ts";
import type { App } from "./fault-page.ts";
import { openBrowser } from "./open-browser.ts";

declare const app: App;

let server: ServerProcess;
let browser: Browser;
let context: BrowserContext;
const uncaught: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(50), openBrowser()]);
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  expect(uncaught.splice(0)).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function open(prepare?: () => void): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => uncaught.push(String(error)));
  if (prepare !== undefined) await page.addInitScript(prepare);
  await page.goto(`${server.url}/faults`);
  await page.waitForFunction(() => "app" in window);
  return page;
}

const WAIT_MS = 20_000;
const until = <T>(read: () => T | Promise<T>, expected: T): Promise<void> =>
  expect.poll(read, { timeout: WAIT_MS, interval: 50 }).toEqual(expected);
const write = (page: Page, writer: string, textLength = 10) =>
  page.evaluate(([by, length]) => app.write(by, length), [writer, textLength] as const);
const shown = (page: Page, writer: string) => page.evaluate((by) => app.shown(by), writer);
const untilSynced = (page: Page) => until(() => page.evaluate(() => app.status().isSynced), true);
/** Numbers that the server has of a writer, in the order in which it took them. */
const taken = (writer: string) =>
  server
    .read<{ n: number }>(
      `SELECT value ->> '$.n' AS n FROM _plasma_changes WHERE table_name = 'entries' AND op = 'put'
       AND before IS NULL AND value ->> '$.writer' = '${writer}' ORDER BY row_version`,
    )
    .map(({ n }) => n);

test("without room a change is taken back and told, what was saved stays, and with room again all goes on", async () => {
  const session = await context.newCDPSession(await context.newPage());
  const { origin } = new URL(server.url);
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 300_000 });
  const page = await open();
  await untilSynced(page);
  expect(await write(page, "quota")).toBe("saved");
  const refused = await write(page, "quota", 400_000);
  expect(refused).toContain("client/storage");
  expect(refused).toContain("QuotaExceededError");
  expect(await shown(page, "quota")).toEqual([1]);
  expect(await page.evaluate(() => app.status().lastError)).toBe("storage");
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  expect(await write(page, "quota", 400_000)).toBe("saved");
  await until(() => taken("quota"), [1, 3]);
  expect(await shown(page, "quota")).toEqual([1, 3]);
});

test("a page whose browser keeps nothing says so at the first use, and works by itself once it may", async () => {
  const page = await open(() => {
    const { open: openDatabase } = IDBFactory.prototype;
    Object.assign(window, { isBlocked: true });
    IDBFactory.prototype.open = function (...args) {
      if ("isBlocked" in window && window.isBlocked === true) throw new DOMException("denied", "SecurityError");
      return openDatabase.apply(this, args);
    };
  });
  expect(await write(page, "refused")).toContain("client/storage: The local database failed: SecurityError: denied");
  expect(await page.evaluate(() => app.status().lastError)).toBe("storage");
  await page.evaluate(() => Object.assign(window, { isBlocked: false }));
  await until(() => page.evaluate(() => app.status().lastError), "none");
  expect(await write(page, "refused")).toBe("saved");
  await until(() => taken("refused"), [2]);
});

test("cleared site data is met as a new database: what was not sent is told, the rest comes back, writes hold again", async () => {
  const [page, other] = [await open(), await open()];
  await Promise.all([untilSynced(page), untilSynced(other)]);
  expect(await write(page, "cleared")).toBe("saved");
  await until(() => taken("cleared"), [1]);
  for (const each of [page, other]) await each.evaluate(() => (app.network.isThere = false));
  expect(await write(page, "cleared")).toBe("saved");
  const session = await context.newCDPSession(page);
  const { origin } = new URL(server.url);
  await session.send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" });
  // Met by this write, or by the connection's end before it: then the write was taken back already when the rest is told.
  const end = await write(page, "cleared");
  expect(end).toMatch(/client\/(deposed|storage)/);
  await until(async () => (await page.evaluate(() => app.errors())).includes("client/evicted"), true);
  const lost = await page.evaluate(() => app.lost());
  expect(end.includes("client/deposed") ? [[2]] : [[1], [2]]).toContainEqual(lost);
  for (const each of [page, other]) await each.evaluate(() => (app.network.isThere = true));
  await until(() => shown(page, "cleared"), [1]);
  await expect.poll(() => write(page, "cleared"), { timeout: WAIT_MS }).toBe("saved");
  await until(async () => (await shown(page, "cleared")).length, 2);
  await until(() => taken("cleared").length, 2);
  await until(async () => (await shown(other, "cleared")).length, 2);
  expect(await other.evaluate(() => app.lost())).toEqual([]);
});

test("connections that die under load lose nothing and double nothing", async () => {
  const page = await open(() => {
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      const how = Math.random();
      // As WebKit does: the connection is closed and says so at the next use.
      if (how < 0.1) this.close();
      const tx = transaction.apply(this, args);
      if (how > 0.9) queueMicrotask(() => this.close());
      return tx;
    };
  });
  await untilSynced(page);
  const ends = await page.evaluate(async () => {
    const all: string[] = [];
    for (let round = 0; round < 30; round++)
      all.push(...(await Promise.all([app.write("dying"), app.write("dying"), app.write("dying")])));
    return all;
  });
  const saved = ends.flatMap((end, i) => (end === "saved" ? [i + 1] : []));
  expect(saved.length).toBeGreaterThan(60);
  await until(() => taken("dying"), saved);
  await until(() => shown(page, "dying"), saved);
});

test("a clock that is set back by hours changes no order, and neither syncing nor waiting stops", async () => {
  const page = await open(() => {
    const { now } = Date;
    Object.assign(window, { clockOffsetMs: 0 });
    Date.now = () => now() + ("clockOffsetMs" in window ? Number(window.clockOffsetMs) : 0);
  });
  await untilSynced(page);
  const numbers: number[] = [];
  for (const hours of [0, -5, 0, -72, 100, -1]) {
    await page.evaluate((by) => Object.assign(window, { clockOffsetMs: by * 3_600_000 }), hours);
    expect(await write(page, "clock")).toBe("saved");
    numbers.push(numbers.length + 1);
    await until(() => taken("clock"), numbers);
  }
  await page.reload();
  await page.waitForFunction(() => "app" in window);
  await until(() => shown(page, "clock"), numbers);
});

test("a tab that freezes while it writes holds nobody up, and what it was promised is sent by another", async () => {
  const [frozen, other] = [await open(), await open()];
  await Promise.all([untilSynced(frozen), untilSynced(other)]);
  const session: CDPSession = await context.newCDPSession(frozen);
  void frozen
    .evaluate(async () => {
      for (;;) await app.write("frozen");
    })
    .catch(() => undefined);
  await until(async () => (await shown(other, "frozen")).length > 20, true);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  for (let n = 1; n <= 5; n++) expect(await write(other, "awake")).toBe("saved");
  await until(() => taken("awake"), [1, 2, 3, 4, 5]);
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await frozen.close();
  await until(async () => (await shown(other, "frozen")).length === taken("frozen").length, true);
  const numbers = taken("frozen");
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
});
