// The browser dies at random instants, again and again, while pages write: nothing that was promised is lost or doubled.
import { expect, test } from "vitest";
import { runKills } from "../kills/run-kills.ts";

/** A minute when nothing else runs. */
const KILLS_MS_MAX = 300_000;

test(
  "what mutate promised survives 20 kills of the browser at random instants: none lost, none doubled, in order",
  { timeout: KILLS_MS_MAX },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const result = await runKills({ kills: 20, seed, stockRows: 5_000, killsPerProfile: 7 });
    expect(result.problems, `seed ${seed}`).toEqual([]);
    expect(result).toMatchObject({ kills: 20, profiles: 3, upgrades: 1 });
    expect(result.acked).toBeGreaterThan(100);
  },
);
