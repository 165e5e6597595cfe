// Five tabs of one browser, used at random; `npm run soak:tabs` plays the same for longer.
import { expect, test } from "vitest";
import { playTabs } from "../soak/tabs/play-tabs.ts";

test(
  "five tabs used at random for a minute, and the server, end equal, with each call once",
  { timeout: 300_000 },
  async () => {
    const seed = Number(process.env["TABS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const { rows, resolved, reigns } = await playTabs({ seed, calmMs: 20_000, wildMs: 40_000 });
    expect(rows).toBeGreaterThanOrEqual(resolved);
    expect(resolved).toBeGreaterThan(50);
    expect(reigns).toBeGreaterThan(1);
  },
);
