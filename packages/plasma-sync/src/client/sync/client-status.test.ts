import { expect, test } from "vitest";
import { createClientStatus } from "./client-status.ts";

test("get() keeps its identity until something changes, and listeners hear of changes only", () => {
  const status = createClientStatus();
  let calls = 0;
  const unsubscribe = status.subscribe(() => (calls += 1));
  const first = status.get();
  status.update({ syncing: false, outboxDepth: 0 });
  expect(status.get()).toBe(first);
  expect(calls).toBe(0);

  status.update({ outboxDepth: 2, cookie: "k" });
  expect(calls).toBe(1);
  expect(status.get()).toEqual({ ...first, outboxDepth: 2, cookie: "k" });
  expect(first.outboxDepth).toBe(0);

  unsubscribe();
  status.update({ outboxDepth: 3 });
  expect(calls).toBe(1);
});

test("a listener may unsubscribe itself while it is called", () => {
  const status = createClientStatus();
  const heard: string[] = [];
  const unsubscribe = status.subscribe(() => {
    heard.push("once");
    unsubscribe();
  });
  status.subscribe(() => void heard.push("always"));
  status.update({ syncing: true });
  status.update({ syncing: false });
  expect(heard).toEqual(["once", "always", "always"]);
});
