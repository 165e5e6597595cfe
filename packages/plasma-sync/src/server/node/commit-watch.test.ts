import { expect, test, vi } from "vitest";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { CommitWatch } from "./commit-watch.ts";

/** A database that tells of commits once it can be reached. */
function start(failures: number) {
  const timers: { readonly fn: () => void; readonly delayMs: number }[] = [];
  const env: Env = {
    ...systemEnv,
    setTimeout: (fn, delayMs) => timers.push({ fn, delayMs }),
    clearTimeout: () => timers.pop(),
  };
  const unwatch = vi.fn<() => void>();
  const onCommit = vi.fn<() => void>();
  let commit: () => void = () => undefined;
  let asked = 0;
  const watchCommits = async (fn: () => void) => {
    asked += 1;
    if (asked <= failures) throw new RangeError("no connection");
    commit = fn;
    return unwatch;
  };
  const watch = new CommitWatch({ ...memoryDatabase(), watchCommits }, env, onCommit);
  return { watch, timers, unwatch, onCommit, commit: () => commit(), asked: () => asked };
}

test("a database that cannot be reached is asked again until it can", async () => {
  const { timers, onCommit, commit, asked } = start(2);
  for (const times of [1, 2]) {
    await vi.waitFor(() => expect(timers).toHaveLength(1));
    expect(asked()).toBe(times);
    const [{ fn, delayMs }] = timers.splice(0) as [(typeof timers)[number]];
    expect(delayMs).toBe(limits.commitWatchRetryMs);
    fn();
  }
  await vi.waitFor(() => expect(asked()).toBe(3));
  commit();
  expect(onCommit).toHaveBeenCalledTimes(1);
  expect(timers).toEqual([]);
});

test("one that was stopped hears nothing more, and asks no more", async () => {
  const heard = start(0);
  await vi.waitFor(() => expect(heard.asked()).toBe(1));
  await Promise.resolve();
  heard.watch.stop();
  heard.commit();
  expect(heard.onCommit).not.toHaveBeenCalled();
  expect(heard.unwatch).toHaveBeenCalledTimes(1);
  const failing = start(1);
  await vi.waitFor(() => expect(failing.timers).toHaveLength(1));
  failing.watch.stop();
  expect(failing.timers).toEqual([]);
  const early = start(0);
  early.watch.stop();
  await vi.waitFor(() => expect(early.unwatch).toHaveBeenCalledTimes(1));
});
