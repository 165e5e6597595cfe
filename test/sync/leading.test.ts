// Which of several tabs syncs, on virtual time and the simulator's locks and channels. Loops do nothing but say whether they run.
import { expect, test } from "vitest";
import type { Env } from "../../packages/plasma-sync/src/core/lib/env.ts";
import * as limits from "../../packages/plasma-sync/src/core/limits.ts";
import { createSimEnv, SimClock, SimLife } from "../../packages/plasma-sync/src/testing/sim-clock.ts";
import { SimPage } from "../../packages/plasma-sync/src/testing/sim-page.ts";
import { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { SimTabs } from "../../packages/plasma-sync/src/testing/sim-tabs.ts";
import { SyncSession, type LeaderLoop } from "../../packages/plasma-sync/src/client/sync-session.ts";
// Loaded here, so that no session waits for it in real time.
import "../../packages/plasma-sync/src/client/tabs/hand-over.ts";

/** From the first question without an answer to the take-over, for a visible tab; and what messages and locks take. */
const DEPOSED_MS = (limits.leaderMissesMax + 1) * limits.leaderPingMs + 100;

interface TestTab {
  readonly life: SimLife;
  readonly page: SimPage;
  readonly session: SyncSession;
  readonly env: Env;
  /** Something of the replica waits for a leader. */
  hasWork: boolean;
  isPushing: boolean;
  /** Loops that have been started. */
  reigns: number;
  /** What was asked of its loops. */
  readonly asked: string[];
  questions: number;
}

class TabWorld {
  readonly clock = new SimClock();
  readonly tabs: TestTab[] = [];
  readonly #random: SimRandom;
  readonly #sim: SimTabs;

  constructor(seed = 1) {
    this.#random = new SimRandom(seed);
    this.#sim = new SimTabs(this.clock, this.#random.fork(), () => undefined);
  }

  open(): TestTab {
    const life = new SimLife(`tab ${this.tabs.length + 1}`);
    const page = new SimPage(life);
    const env = createSimEnv(this.clock, { life, random: this.#random.fork(), skew: { ms: 0 } });
    const links = this.#sim.links(life);
    const channel = links.openChannel("channel", (message) => session.receive(message));
    const session = new SyncSession({
      links,
      lockName: "leader",
      env,
      post: (message) => {
        if (message.type === "ping") tab.questions += 1;
        channel.post(message);
      },
      hasWork: () => tab.hasWork,
      lead: async () => loopOf(tab),
      onRole: () => undefined,
      onError: () => undefined,
      onResumed: () => session.start(),
      watchPage: (onEvent) => page.watch(onEvent),
      retryMs: 1000,
    });
    const counts = { hasWork: false, isPushing: false, reigns: 0, questions: 0 };
    const tab: TestTab = { life, page, session, env, asked: [], ...counts };
    this.tabs.push(tab);
    session.start();
    return tab;
  }

  kill(tab: TestTab): void {
    tab.life.die();
    this.#sim.buried(tab.life);
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** Numbers of the tabs that believe that they lead. */
  get leaders(): number[] {
    return this.tabs.flatMap(({ session, life }, i) => (session.leading && !life.isDead ? [i + 1] : []));
  }

  get reigns(): number[] {
    return this.tabs.map(({ reigns }) => reigns);
  }
}

function loopOf(tab: TestTab): LeaderLoop {
  const once = async (what: string) => void tab.asked.push(what);
  return {
    start: () => void (tab.reigns += 1),
    stop: () => undefined,
    pushOnce: () => once("push"),
    pullOnce: () => once("pull"),
    uploadOnce: () => once("upload"),
    localWork: () => undefined,
    filesWanted: () => undefined,
    isQuiet: () => !tab.isPushing,
  };
}

/** A world with so many visible tabs, of which the first leads. */
async function worldOf(count: number, seed?: number) {
  const world = new TabWorld(seed);
  world.open();
  await world.advance(100);
  while (world.tabs.length < count) world.open();
  await world.advance(100);
  expect(world.leaders).toEqual([1]);
  return { world, tabs: world.tabs as unknown as Record<0 | 1 | 2, TestTab> & Iterable<TestTab> };
}

test.each([1, 2, 3])("of ten tabs that open at once one leads, and goes on leading (seed %i)", async (seed) => {
  const world = new TabWorld(seed);
  for (let i = 0; i < 10; i += 1) world.open();
  await world.advance(60_000);
  expect(world.leaders).toHaveLength(1);
  expect(world.reigns.reduce((sum, reigns) => sum + reigns)).toBe(1);
});

test.each([1, 2, 3])("a leader that hangs is deposed by one visible tab, and finds out (seed %i)", async (seed) => {
  const { world, tabs } = await worldOf(4, seed);
  tabs[0].life.freeze();
  await world.advance(DEPOSED_MS);
  expect(world.leaders).toHaveLength(2);
  expect(world.reigns.reduce((sum, reigns) => sum + reigns)).toBe(2);
  tabs[0].page.resume();
  await world.advance(60_000);
  expect(world.leaders).toHaveLength(1);
  expect(world.leaders).not.toContain(1);
  expect(world.reigns.reduce((sum, reigns) => sum + reigns)).toBe(2);
});

test("a leader that answers goes on leading, however long others have work", async () => {
  const { world, tabs } = await worldOf(3);
  for (const tab of tabs) tab.hasWork = true;
  await world.advance(600_000);
  expect(world.reigns).toEqual([1, 0, 0]);
});

test("a tab that stood still itself does not take its own silence for the leader's", async () => {
  const { world, tabs } = await worldOf(2);
  for (const [stopMs, goMs] of [
    [60_000, 50],
    [3_000, 2_000],
    [500, 1_900],
  ] as const) {
    for (let round = 0; round < 10; round += 1) {
      tabs[1].life.freeze();
      await world.advance(stopMs);
      tabs[1].page.resume();
      await world.advance(goMs);
    }
  }
  expect(world.reigns).toEqual([1, 0]);
});

test("two tabs that wake from sleep together keep their roles", async () => {
  const { world, tabs } = await worldOf(2);
  for (let round = 0; round < 20; round += 1) {
    for (const tab of tabs) tab.life.freeze();
    await world.advance(30_000);
    tabs[1].page.resume();
    // The other wakes later.
    await world.advance(1_500);
    tabs[0].page.resume();
    await world.advance(3_000);
  }
  expect(world.reigns).toEqual([1, 0]);
});

test("a hidden leader hands over to a visible tab after a while, and leads no more", async () => {
  const { world, tabs } = await worldOf(3);
  tabs[0].page.show(false);
  tabs[2].page.show(false);
  await world.advance(limits.leaderHiddenMs - 100);
  expect(world.leaders).toEqual([1]);
  await world.advance(limits.leaderPingMs + 200);
  expect(world.leaders).toEqual([2]);
  await world.advance(60_000);
  expect(world.reigns).toEqual([1, 1, 0]);
});

test("a hidden leader goes on leading while nobody is visible, and hands over at once when somebody is", async () => {
  const { world, tabs } = await worldOf(2);
  for (const tab of tabs) tab.page.show(false);
  await world.advance(60_000);
  expect(world.leaders).toEqual([1]);
  tabs[1].page.show(true);
  await world.advance(100);
  expect(world.leaders).toEqual([2]);
});

test("a leader does not hand over in the middle of a push", async () => {
  const { world, tabs } = await worldOf(2);
  tabs[0].page.show(false);
  tabs[0].isPushing = true;
  await world.advance(60_000);
  expect(world.leaders).toEqual([1]);
  tabs[0].isPushing = false;
  await world.advance(limits.leaderPingMs + 100);
  expect(world.leaders).toEqual([2]);
});

test("who goes to and fro between two tabs changes no leader", async () => {
  const { world, tabs } = await worldOf(2);
  tabs[1].page.show(false);
  for (let round = 0; round < 20; round += 1) {
    for (const tab of tabs) tab.page.show(!tab.page.isVisible);
    await world.advance(limits.leaderHiddenMs - limits.leaderPingMs);
  }
  expect(world.reigns).toEqual([1, 0]);
});

test("an offer to lead that nobody takes up leaves no replica without a leader", async () => {
  const { world, tabs } = await worldOf(3);
  tabs[0].page.show(false);
  tabs[2].page.show(false);
  await world.advance(limits.leaderHiddenMs - 1_000);
  // It asks on, and dies before it can take the lock.
  for (let ms = 0; ms < 5_000 && tabs[0].session.leading; ms += 1) await world.advance(1);
  world.kill(tabs[1]);
  await world.advance(limits.leaderYieldMs + 100);
  expect(world.leaders).toHaveLength(1);
});

test("an offer that a tab reads long after takes the lock from nobody", async () => {
  const { world, tabs } = await worldOf(3);
  tabs[2].page.show(false);
  tabs[0].page.show(false);
  for (let ms = 0; ms < 20_000 && tabs[0].session.leading; ms += 1) await world.advance(1);
  // The lock comes to it by and by, though it does not lead.
  tabs[1].life.freeze();
  tabs[2].page.show(true);
  await world.advance(limits.leaderYieldMs + DEPOSED_MS + limits.leaderPingMs);
  expect(world.reigns).toEqual([1, 0, 1]);
  tabs[1].page.resume();
  await world.advance(60_000);
  expect([world.leaders, world.reigns]).toEqual([[3], [1, 0, 1]]);
});

test("a page that is told that it stops lets go of leading at once, and stands again when it goes on", async () => {
  const { world, tabs } = await worldOf(2);
  for (const tab of tabs) tab.page.show(false);
  tabs[0].page.stop();
  await world.advance(10);
  expect(world.leaders).toEqual([2]);
  tabs[0].page.resume();
  await world.advance(100);
  world.kill(tabs[1]);
  await world.advance(100);
  expect(world.leaders).toEqual([1]);
});

test("a stopped page does not start a session that its app has stopped", async () => {
  const { world, tabs } = await worldOf(2);
  tabs[0].session.stop();
  tabs[0].page.stop();
  tabs[0].page.resume();
  await world.advance(1_000);
  world.kill(tabs[1]);
  await world.advance(60_000);
  expect(world.leaders).toEqual([]);
});

test("a hidden tab deposes a silent leader only when it has work, and after a visible one would have", async () => {
  const { world, tabs } = await worldOf(2);
  tabs[1].page.show(false);
  tabs[0].life.freeze();
  await world.advance(60_000);
  expect([tabs[1].reigns, tabs[1].questions]).toEqual([0, 1]);
  tabs[1].hasWork = true;
  tabs[1].session.localWork(false);
  await world.advance(DEPOSED_MS);
  expect(tabs[1].reigns).toBe(0);
  await world.advance((limits.leaderMissesHiddenMax - limits.leaderMissesMax) * limits.leaderPingMs);
  expect(tabs[1].reigns).toBe(1);
});

test("what a tab asked of a leader that hangs, the next one does", async () => {
  const { world, tabs } = await worldOf(3);
  tabs[0].life.freeze();
  tabs[2].page.show(false);
  const progress = { isOver: false };
  void tabs[2].session.once("push").then(() => (progress.isOver = true));
  await world.advance(DEPOSED_MS + limits.leaderPingMs);
  expect(world.leaders).toEqual([1, 2]);
  expect([progress.isOver, tabs[1].asked]).toEqual([true, ["push"]]);
});
