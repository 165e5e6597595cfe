import { expect, test } from "vitest";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import { Deferred } from "./deferred.ts";
import { StreamPace } from "./stream-pace.ts";

const notUrgent = () => false;

/** Whether giving way is over after so many milliseconds. */
async function isOver(env: ReturnType<typeof createVirtualEnv>, way: Promise<void>, ms: number): Promise<boolean> {
  let over = false;
  void way.then(() => (over = true));
  await env.advance(ms);
  return over;
}

test("a stream that nobody's reads meet goes on at once", async () => {
  const env = createVirtualEnv();
  expect(await isOver(env, new StreamPace(env).giveWay(notUrgent), 0)).toBe(true);
  expect(env.timerCount).toBe(0);
});

test("a stream waits while somebody reads, and for a moment after that", async () => {
  const env = createVirtualEnv();
  const pace = new StreamPace(env);
  const answer = new Deferred<string>();
  const read = pace.first(() => answer.promise);
  const way = pace.giveWay(notUrgent);
  expect(await isOver(env, way, 2 * limits.streamPauseMs)).toBe(false);
  answer.resolve("row");
  expect(await read).toBe("row");
  expect(await isOver(env, way, 0)).toBe(false);
  expect(await isOver(env, way, 2 * limits.streamPauseMs)).toBe(true);
  expect(await isOver(env, pace.giveWay(notUrgent), 0)).toBe(true);
});

test("reads that follow each other are one", async () => {
  const env = createVirtualEnv();
  const pace = new StreamPace(env);
  await pace.first(async () => undefined);
  const way = pace.giveWay(notUrgent);
  for (let i = 0; i < 5; i++) {
    await pace.first(async () => undefined);
    expect(await isOver(env, way, limits.streamPauseMs)).toBe(false);
  }
  expect(await isOver(env, way, limits.streamPauseMs)).toBe(true);
});

test("a read that failed holds nothing up", async () => {
  const env = createVirtualEnv();
  const pace = new StreamPace(env);
  await expect(pace.first(() => Promise.reject(new TypeError("no disk")))).rejects.toThrow("no disk");
  expect(await isOver(env, pace.giveWay(notUrgent), limits.streamPauseMs)).toBe(true);
});

test("a stream that somebody waits for does not wait, and one that others keep waiting goes on in the end", async () => {
  const env = createVirtualEnv();
  const pace = new StreamPace(env);
  void pace.first(() => new Promise(() => undefined));
  expect(
    await isOver(
      env,
      pace.giveWay(() => true),
      0,
    ),
  ).toBe(true);
  const way = pace.giveWay(notUrgent);
  expect(await isOver(env, way, (limits.streamPausesMax - 1) * limits.streamPauseMs)).toBe(false);
  expect(await isOver(env, way, limits.streamPauseMs)).toBe(true);
});
