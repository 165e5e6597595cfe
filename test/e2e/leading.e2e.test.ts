// Which tab syncs, in real Chromium with tabs as people have them: one window, one of them visible, the others throttled.
import { afterEach, beforeEach, expect, test } from "vitest";
import * as limits from "../../packages/plasma-sync/src/core/limits.ts";
import type { RawTab } from "../soak/tabs/raw-browser.ts";
import { TabsWorld } from "../soak/tabs/tabs-world.ts";

let world: TabsWorld;

beforeEach(async () => {
  world = await TabsWorld.start();
});
afterEach(async () => {
  await world?.close();
});

const roleOf = (tab: RawTab) => tab.evaluate<string>("tabs.role()");
const mark = (tab: RawTab, id: string) => tab.evaluate(`tabs.mark("${id}").then(() => true)`, 30_000);
const hasRole = (tab: RawTab, role: string) => async () => (await roleOf(tab)) === role;
const serverHas = (id: string) => () => world.rows().some((row) => row.startsWith(`${id}×`));
/** How long a silent leader is waited for, and as much for a busy machine. */
const DEPOSED_MS = 2 * (limits.leaderMissesMax + 2) * limits.leaderPingMs;

/** Tabs of which the last is visible and the first leads. */
async function openTabs(count: number) {
  const tabs: { readonly tab: RawTab; readonly page: string }[] = [];
  tabs.push(await world.open());
  const [first] = tabs as [(typeof tabs)[0]];
  await world.until("the first tab leads", hasRole(first.tab, "leader"));
  while (tabs.length < count) tabs.push(await world.open());
  const last = tabs.at(-1) as typeof first;
  await last.tab.show();
  await world.until("the first tab is hidden", () => first.tab.evaluate<boolean>(`tabs.visible() === "hidden"`));
  return { tabs, first, last };
}

const shows = (tab: RawTab) => tab.evaluate<{ readonly rows: readonly string[] }>("tabs.state()");
async function allShow(tabs: readonly { readonly tab: RawTab }[], rows: readonly string[]): Promise<void> {
  for (const { tab } of tabs)
    await world.until(`a tab shows ${rows.join()}`, async () => (await shows(tab)).rows.join() === rows.join());
  await world.until("the server has them", () => world.rows().join() === rows.join());
}

test("of ten tabs that open at once one leads, each has its own clientID, and all show the same", async () => {
  const tabs = await Promise.all(Array.from({ length: 10 }, () => world.open()));
  await Promise.all(tabs.map(({ tab }, i) => mark(tab, `m${i}`)));
  await allShow(
    tabs,
    Array.from({ length: 10 }, (_, i) => `m${i}×1`),
  );
  const roles = await Promise.all(tabs.map(({ tab }) => roleOf(tab)));
  expect(roles.toSorted()).toEqual([...Array.from({ length: 9 }, () => "follower"), "leader"]);
  const ids = await Promise.all(tabs.map(({ tab }) => tab.evaluate("tabs.clientID()")));
  expect(new Set(ids).size).toBe(10);
  expect([world.notes("is leader").length, world.repeatedPushes()]).toEqual([1, []]);
});

test("a hidden leader hands over to the visible tab after a while, and no push is repeated", async () => {
  const { tabs, first, last } = await openTabs(3);
  for (let i = 0; !(await hasRole(last.tab, "leader")()) && i < 400; i++) await mark(first.tab, `m${i}`);
  await world.until("the visible tab leads", hasRole(last.tab, "leader"));
  expect(await roleOf(first.tab)).toBe("follower");
  await mark(first.tab, "z");
  await world.until("the server has it", serverHas("z"));
  await allShow(tabs, world.rows());
  expect([world.notes("takes the lock").map(({ page }) => page), world.repeatedPushes()]).toEqual([[last.page], []]);
});

test("a leader that the browser freezes lets go before it stops; when it goes on it shows what it has missed", async () => {
  const { tabs, first, last } = await openTabs(2);
  await first.tab.freeze(true);
  await world.until("the other leads", hasRole(last.tab, "leader"));
  await mark(last.tab, "missed");
  await world.until("the server has it", serverHas("missed"));
  expect([world.notes("freeze hidden").length, world.notes("takes the lock")]).toEqual([1, []]);
  await first.tab.freeze(false);
  await allShow(tabs, ["missed×1"]);
  expect(await roleOf(first.tab)).toBe("follower");
});

test("a leader that hangs in the middle of a push is deposed; going on, it writes nothing and follows", async () => {
  const { tabs, first, last } = await openTabs(2);
  await mark(first.tab, "slow");
  await world.until("it is pushed", () => world.log.some(({ what }) => what === "push"));
  await first.tab.hang();
  await mark(last.tab, "work");
  await world.until("the other leads", hasRole(last.tab, "leader"), DEPOSED_MS);
  await world.until("the server has both", serverHas("work"));
  await first.tab.goOn();
  await allShow(tabs, ["slow×1", "work×1"]);
  await mark(first.tab, "zlast");
  await allShow(tabs, ["slow×1", "work×1", "zlast×1"]);
  expect(await Promise.all(tabs.map(({ tab }) => roleOf(tab)))).toEqual(["follower", "leader"]);
  // Its answer came while it hung: the next leader could not know.
  expect(world.repeatedPushes().length).toBeLessThanOrEqual(1);
  expect(world.notes("takes the lock").map(({ page }) => page)).toEqual([last.page]);
});

test("a leader that crashes in the middle of a push: the next one pushes it again, and it takes effect once", async () => {
  const { first, last } = await openTabs(2);
  await mark(first.tab, "slow");
  await world.until("it is pushed", () => world.log.some(({ what }) => what === "push"));
  first.tab.crash();
  await world.until("the other leads", hasRole(last.tab, "leader"));
  await allShow([last], ["slow×1"]);
  await world.until("nothing is pending", () => last.tab.evaluate<boolean>("tabs.state().outboxDepth === 0"));
  expect(world.repeatedPushes()).toMatchObject([{ first: { page: first.page }, again: { page: last.page } }]);
});

test("what a tab promised right before it was closed, the leader pushes, and all show it", async () => {
  const { tabs, first, last } = await openTabs(3);
  for (const id of ["a", "b"]) await mark(last.tab, id);
  await last.tab.close();
  await allShow([first, tabs[1] as typeof first], ["a×1", "b×1"]);
  expect(world.repeatedPushes()).toEqual([]);
});

test("what a tab promised and told nobody of before it died, the leader finds with its next poll", async () => {
  const { first, last } = await openTabs(2);
  await last.tab.evaluate("void (BroadcastChannel.prototype.postMessage = () => undefined)");
  await mark(last.tab, "untold");
  last.tab.crash();
  await allShow([first], ["untold×1"]);
  expect(world.repeatedPushes()).toEqual([]);
});

test("without Web Locks each tab syncs for itself, says so, and two of them lose and double nothing", async () => {
  const tabs = [await world.open("/tabs?single"), await world.open("/tabs?single")];
  expect(await Promise.all(tabs.map(({ tab }) => roleOf(tab)))).toEqual(["single", "single"]);
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) {
    const { tab } = tabs[i % 2] as (typeof tabs)[0];
    await mark(tab, `m${i}`);
    ids.push(`m${i}×1`);
  }
  await allShow(tabs, ids.sort());
});
