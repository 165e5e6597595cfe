import { expect, test } from "vitest";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import { createPace } from "./pace.ts";

function paced() {
  const env = createVirtualEnv();
  const start = env.now();
  const at: number[] = [];
  return { env, at, pace: createPace(env, 100, () => at.push(env.now() - start)) };
}

test("the first is done at once, the others together, at most once in the interval", async () => {
  const { env, at, pace } = paced();
  for (let i = 0; i < 25; i++) {
    pace.ask();
    await env.advance(10);
  }
  await env.advance(1000);
  expect(at).toEqual([0, 100, 200, 300]);
  pace.ask();
  expect(at.at(-1)).toBe(1250);
});

test("the end does what is still asked for, once, and nothing comes after it", async () => {
  const { env, at, pace } = paced();
  pace.ask();
  pace.ask();
  await env.advance(30);
  pace.end();
  await env.advance(1000);
  expect(at).toEqual([0, 30]);
});

test("an end after everything is done does nothing", async () => {
  const { env, at, pace } = paced();
  pace.ask();
  pace.end();
  await env.advance(1000);
  expect(at).toEqual([0]);
});
