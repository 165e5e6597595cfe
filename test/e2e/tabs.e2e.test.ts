// What only real tabs show: who has which clientID, who holds a lock, and one database under several processes.
import { chromium, type Browser, type BrowserContext, type Frame, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { must } from "../../packages/plasma-sync/src/core/lib/assert.ts";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";
import { serveSourcePages, type SourcePages } from "./source-pages.ts";
import type { Tab } from "./tab-page.ts";

declare const window: Window & { tab: Tab };
declare const tab: Tab;

let pages: SourcePages;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  // People's browsers have the back/forward cache; playwright turns it off.
  const ignoreDefaultArgs = ["--disable-back-forward-cache"];
  [pages, browser] = await Promise.all([
    serveSourcePages(),
    chromium.launch({ ...chromiumLaunchOptions(), ignoreDefaultArgs }),
  ]);
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
});
afterAll(async () => {
  await browser?.close();
  await pages?.close();
});

async function openTab(query = ""): Promise<Page> {
  const page = await context.newPage();
  await page.goto(pages.url + query);
  await ready(page);
  return page;
}

const ready = (page: Page | Frame) => page.waitForFunction(() => "tab" in window);
const take = (page: Page | Frame) => page.evaluate(() => tab.take());

async function reload(page: Page): Promise<void> {
  await page.reload();
  await ready(page);
}

/** A frame of the same origin in that page. */
async function openFrame(page: Page): Promise<Frame> {
  const added = page.waitForEvent("frameattached");
  await page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    document.body.append(frame);
  }, `${pages.url}?frame`);
  const frame = await added;
  await ready(frame);
  return frame;
}

/** A tab that the page opens: the browser copies its sessionStorage. */
async function openCopy(page: Page): Promise<Page> {
  const [copy] = await Promise.all([
    context.waitForEvent("page"),
    page.evaluate((url) => void window.open(url), `${pages.url}?copy`),
  ]);
  await ready(copy);
  return copy;
}

test("a reload keeps the clientID, another tab has its own", async () => {
  const [one, two] = [await openTab(), await openTab()];
  const [first, second] = [await take(one), await take(two)];
  expect([first.reused, second.reused]).toEqual([false, false]);
  expect(second.clientID).not.toBe(first.clientID);
  for (let round = 0; round < 3; round++) {
    await reload(one);
    expect(await take(one)).toEqual({ clientID: first.clientID, reused: true });
  }
});

test("two clients of one page and one in a frame have three ids, and one of them is kept", async () => {
  const page = await openTab();
  const ids = [(await take(page)).clientID, (await take(page)).clientID];
  ids.push((await take(await openFrame(page))).clientID);
  expect(new Set(ids).size).toBe(3);
  await reload(page);
  const again = await take(page);
  expect(again.reused).toBe(true);
  expect(ids).toContain(again.clientID);
});

test("a tab opened by a page, with a copy of its sessionStorage, has an id of its own", async () => {
  const page = await openTab();
  await page.evaluate(() => sessionStorage.setItem("seen", "yes"));
  const { clientID } = await take(page);
  const copy = await openCopy(page);
  expect(await copy.evaluate(() => sessionStorage.getItem("seen"))).toBe("yes");
  expect(await take(copy)).toMatchObject({ reused: false, clientID: expect.not.stringContaining(clientID) });
  await reload(page);
  expect(await take(page)).toEqual({ clientID, reused: true });
});

test("an id that was released is taken by the next client of the page, once", async () => {
  const page = await openTab();
  const { clientID } = await take(page);
  await page.evaluate(() => tab.identity?.release());
  expect(await take(page)).toEqual({ clientID, reused: true });
  expect((await take(page)).reused).toBe(false);
});

test("releasing twice does not put back an id that another client uses by now", async () => {
  const page = await openTab();
  const { clientID } = await take(page);
  const next = await page.evaluate(() => {
    const first = tab.identity;
    first?.release();
    const taken = tab.take();
    first?.release();
    return [taken.clientID, tab.take().clientID];
  });
  expect(next[0]).toBe(clientID);
  expect(next[1]).not.toBe(clientID);
});

test("a replaced id is the one that is kept", async () => {
  const page = await openTab();
  await take(page);
  await page.evaluate(() => tab.identity?.replace("replaced"));
  await reload(page);
  expect(await take(page)).toEqual({ clientID: "replaced", reused: true });
});

test("a page that comes back from the back/forward cache has its id for itself", async () => {
  const page = await openTab("?first");
  const { clientID } = await take(page);
  await page.goto(`${pages.url}?second`);
  await ready(page);
  const second = await take(page);
  expect(second.clientID).not.toBe(clientID);
  await page.goBack({ waitUntil: "commit" });
  // It is the very page of before, not a new one at the same address.
  await expect.poll(() => page.evaluate(() => tab?.identity?.clientID).catch(() => "")).toBe(clientID);
  const copy = await openCopy(page);
  expect((await take(copy)).reused).toBe(false);
  await reload(page);
  expect(await take(page)).toEqual({ clientID, reused: true });
});

test("a page without sessionStorage, or with a full one, has an id all the same", async () => {
  const page = await openTab();
  const errors: Error[] = [];
  page.on("pageerror", (error) => errors.push(error));
  await page.evaluate(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  const { clientID } = await take(page);
  await reload(page);
  await page.evaluate(() => {
    Object.defineProperty(window, "sessionStorage", {
      get: () => {
        throw new DOMException("sandboxed", "SecurityError");
      },
    });
  });
  expect(await take(page)).toMatchObject({ reused: false, clientID: expect.not.stringContaining(clientID) });
  await page.evaluate(() => tab.identity?.release());
  await reload(page);
  expect((await take(page)).reused).toBe(false);
  expect(errors).toEqual([]);
});

test("a message reaches every other tab in order, frames included, and never its sender", async () => {
  const [one, two] = [await openTab(), await openTab()];
  const frame = await openFrame(one);
  for (const each of [one, two, frame]) await each.evaluate(() => tab.listen());
  const nonces = Array.from({ length: 200 }, (_, i) => `${i}`);
  await one.evaluate((told) => tab.tell(told), nonces);
  for (const each of [two, frame]) await expect.poll(() => each.evaluate(() => tab.nonces())).toEqual(nonces);
  expect(await one.evaluate(() => tab.nonces())).toEqual([]);
});

test("a lock has one holder; the next tab gets it when that one lets go, closes or crashes", async () => {
  const [one, two, three, four] = [await openTab(), await openTab(), await openTab(), await openTab()];
  const held = (page: Page) => page.evaluate(() => tab.held);
  await one.evaluate(() => tab.lock("leader"));
  await expect.poll(() => held(one)).toEqual(["leader"]);
  for (const page of [two, three, four]) {
    await page.evaluate(() => tab.lock("leader"));
    // Later requests wait behind this one: it is known to the browser before the next tab asks.
    await page.waitForFunction(async () => ((await navigator.locks.query()).pending ?? []).length > 0);
  }
  expect(await Promise.all([two, three, four].map(held))).toEqual([[], [], []]);
  expect(await four.evaluate(() => tab.isLocked("leader"))).toBe(true);
  expect(await four.evaluate(() => tab.isLocked("other"))).toBe(false);

  await one.evaluate(() => tab.unlock("leader"));
  await expect.poll(() => held(two)).toEqual(["leader"]);
  await two.close();
  await expect.poll(() => held(three)).toEqual(["leader"]);
  const crashed = three.waitForEvent("crash");
  const session = await context.newCDPSession(three);
  void session.send("Page.crash").catch(() => undefined);
  await crashed;
  await expect.poll(() => held(four)).toEqual(["leader"]);
  expect(await held(one)).toEqual(["leader"]);
  await four.evaluate(() => tab.unlock("leader"));
  await expect.poll(() => one.evaluate(() => tab.isLocked("leader"))).toBe(false);
});

test("a lock that is stolen: its holder hears of it, and those in line wait on", async () => {
  const [one, two, three] = [await openTab(), await openTab(), await openTab()];
  const heldBy = (page: Page) => page.evaluate(() => [tab.held.length, tab.lost.length]);
  await one.evaluate(() => tab.lock("leader"));
  await expect.poll(() => heldBy(one)).toEqual([1, 0]);
  await two.evaluate(() => tab.lock("leader"));
  await three.evaluate(() => tab.lock("leader", true));
  await expect.poll(() => heldBy(three)).toEqual([1, 0]);
  await expect.poll(() => heldBy(one)).toEqual([1, 1]);
  // Who has lost it lets go of nothing.
  await one.evaluate(() => tab.unlock("leader"));
  expect(await heldBy(two)).toEqual([0, 0]);
  await three.evaluate(() => tab.unlock("leader"));
  await expect.poll(() => heldBy(two)).toEqual([1, 0]);
  expect(await heldBy(three)).toEqual([1, 0]);
});

test("a request that is withdrawn before it is granted never holds the lock", async () => {
  const [one, two, three] = [await openTab(), await openTab(), await openTab()];
  await one.evaluate(() => tab.lock("leader"));
  await expect.poll(() => one.evaluate(() => tab.held.length)).toBe(1);
  await two.evaluate(() => {
    tab.lock("leader");
    tab.unlock("leader");
  });
  await three.evaluate(() => tab.lock("leader"));
  await one.evaluate(() => tab.unlock("leader"));
  await expect.poll(() => three.evaluate(() => tab.held.length)).toBe(1);
  expect(await two.evaluate(() => tab.held.length)).toBe(0);
});

test("tabs that append at the same time make one order, the same for all", async () => {
  const tabs = [await openTab(), await openTab(), await openTab()];
  const seqs = await Promise.all(tabs.map((page, i) => page.evaluate((name) => tab.append(name, 40), `client-${i}`)));
  expect(seqs.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  const outboxes = await Promise.all(tabs.map((page) => page.evaluate(() => tab.outbox())));
  expect(outboxes[0]?.length).toBe(120);
  expect(outboxes[1]).toEqual(outboxes[0]);
  expect(outboxes[2]).toEqual(outboxes[0]);
});

test("a write beyond the quota rejects and leaves nothing; with room again the same id is written", async () => {
  const page = await openTab();
  const session = await context.newCDPSession(page);
  const { origin } = new URL(pages.url);
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
  expect(await page.evaluate(() => tab.tryAppend("a", 1, 10))).toBe("commit 1");
  expect(await page.evaluate(() => tab.tryAppend("a", 2, 5_000_000))).toBe("client/storage");
  expect(await page.evaluate(() => tab.outbox())).toEqual(["a 1"]);
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  expect(await page.evaluate(() => tab.tryAppend("a", 2, 5_000_000))).toBe("commit 2");
  expect(await page.evaluate(() => tab.outbox())).toEqual(["a 1", "a 2"]);
});

test("a tab that dies in the middle of appending leaves whole commits, and the others go on", async () => {
  const [dying, other] = [await openTab(), await openTab()];
  void dying.evaluate(() => tab.append("dying", 100_000)).catch(() => undefined);
  await expect.poll(async () => (await other.evaluate(() => tab.outbox())).length).toBeGreaterThan(5);
  const crashed = dying.waitForEvent("crash");
  const session = await context.newCDPSession(dying);
  void session.send("Page.crash").catch(() => undefined);
  await crashed;
  const seqs = await other.evaluate(() => tab.append("other", 3));
  const outbox = await other.evaluate(() => tab.outbox());
  expect(outbox.length).toBe(must(seqs.at(-1), "three were appended"));
  expect(outbox.slice(-3)).toEqual(["other 1", "other 2", "other 3"]);
});
