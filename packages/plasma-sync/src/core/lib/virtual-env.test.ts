import { expect, test } from "vitest";
import { createVirtualEnv } from "./virtual-env.ts";

test("timers fire in the order of their time, also those set by other timers", async () => {
  const env = createVirtualEnv();
  const fired: string[] = [];
  const start = env.now();
  const note = (name: string) => () => void fired.push(`${name}@${env.now() - start}`);
  env.setTimeout(note("late"), 30);
  env.setTimeout(() => {
    note("early")();
    env.setTimeout(note("nested"), 5);
  }, 10);
  env.setTimeout(note("same"), 15);
  env.clearTimeout(env.setTimeout(note("cleared"), 1));
  await env.advance(29);
  expect(fired).toEqual(["early@10", "same@15", "nested@15"]);
  expect(env.timerCount).toBe(1);
  await env.advance(1);
  expect(fired.at(-1)).toBe("late@30");
  expect(env.now() - start).toBe(30);
});

test("a timer of no delay does not fire at once", async () => {
  const env = createVirtualEnv();
  let fired = false;
  env.setTimeout(() => (fired = true), 0);
  expect(fired).toBe(false);
  await env.advance(0);
  expect(fired).toBe(true);
});

test("what a timer began settles before the next timer fires", async () => {
  const env = createVirtualEnv();
  const order: string[] = [];
  env.setTimeout(() => {
    void (async () => {
      await Response.json({}).text();
      order.push("settled");
    })();
  }, 1);
  env.setTimeout(() => void order.push("next"), 2);
  await env.advance(2);
  expect(order).toEqual(["settled", "next"]);
});

test("equal seeds give equal randomness, other seeds another", () => {
  const draw = (seed: number) => {
    const env = createVirtualEnv(seed);
    return [env.randomUUID(), env.random(), [...env.randomBytes(4)].join()];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(draw(7)[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const env = createVirtualEnv(3);
  const values = Array.from({ length: 1000 }, () => env.random());
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThan(1);
  expect(values.reduce((sum, value) => sum + value, 0) / 1000).toBeCloseTo(0.5, 1);
});
