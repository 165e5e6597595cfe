// Tabs of two schema versions on two devices open, write, lose the network and close in any order, while the server is
// deployed as either version. In the end every write whose promise resolved is on the server once, and no other.

import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { notes2, VersionedWorld, type Deployment } from "./versions.fixture.ts";
import { eventually } from "./world.fixture.ts";

const RUNS = 20;
const STEPS = 25;

/** Numbers below `n`, the same for the same seed (mulberry32). */
function drawing(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** What the runs have met: a fuzz that meets nothing proves nothing. */
const met = new Set<string>();

type Tab = ReturnType<VersionedWorld["open1"]> | ReturnType<VersionedWorld["open2"]>;

async function run(seed: number): Promise<void> {
  const draw = drawing(seed);
  const world = new VersionedWorld();
  await world.deploy("1");
  const devices = [crypto.randomUUID(), crypto.randomUUID()];
  const tabs: Tab[] = [];
  const saved: string[] = [];
  const writes: Promise<void>[] = [];
  let isMigrated = false;
  const write = (tab: Tab) => {
    const body = `w${writes.length}`;
    writes.push(
      tab.mutate.add({ body }).then(
        () => void saved.push(body),
        (error: { code: string }) => {
          expect(error.code).toMatch(/^client\/(outdated|closed)$/);
          met.add(error.code);
        },
      ),
    );
  };
  const deploy = async () => {
    const next = (["1", "2", "2 for 1"] as const satisfies Deployment[])[draw(3)] ?? "1";
    // The first deployment of version 2 migrates; version 1 may come back over the migrated database.
    isMigrated ||= next !== "1";
    await world.deploy(next);
  };
  for (let step = 0; step < STEPS; step += 1) {
    const tab = tabs[draw(Math.max(1, tabs.length))];
    const kind = draw(10);
    if (kind < 2 || tab === undefined) tabs.push(draw(2) === 0 ? world.open1(device()) : world.open2(device()));
    else if (kind < 6) for (let i = draw(3); i >= 0; i -= 1) write(tab);
    else if (kind === 6) world.isOnline = !world.isOnline;
    else if (kind === 7) await deploy();
    else if (kind === 8) await tab.close();
    else await new Promise((resolve) => setTimeout(resolve, draw(40)));
  }
  await Promise.all(writes);
  for (const tab of tabs) await tab.close();
  await world.deploy("2");
  world.isOnline = true;
  const last = devices.map((name) => world.open2(name));
  for (const tab of last)
    await eventually(() =>
      expect(tab.status.get()).toMatchObject({
        outboxDepth: 0,
        lastError: null,
        firstSync: { done: true },
        cookie: expect.any(String),
      }),
    );
  const onServer = await world.db.select().from(notes2).orderBy(notes2.id);
  expect(onServer.map(({ body }) => body).toSorted()).toEqual(saved.toSorted());
  expect(world.applied.toSorted()).toEqual(saved.toSorted());
  for (const tab of last) {
    await tab.pullOnce();
    expect(await tab.db.select().from(notes2).orderBy(notes2.id)).toEqual(onServer);
  }
  for (const request of world.requests) met.add(request);
  await world.close();

  function device(): string {
    return devices[draw(2)] as string;
  }
}

const first = Number(process.env["SEED"] ?? 1);
test.each(Array.from({ length: RUNS }, (_, i) => first + i))(
  "seed %i: every saved write is applied once, and all converge",
  run,
);

test("the runs have met refused and served requests of both versions, and tabs that another version overtook", () => {
  const answers = ["1", "2"].flatMap((version) =>
    ["push", "pull"].flatMap((what) => [200, 409].map((status) => `${version} ${what} ${status}`)),
  );
  expect([...met]).toEqual(expect.arrayContaining([...answers, "client/outdated", "client/closed"]));
});
