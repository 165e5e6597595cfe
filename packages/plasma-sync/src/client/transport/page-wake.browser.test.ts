// Owns: that a page which is shown again, by whatever way, says so, and one that is not does not.

import { expect, test } from "vitest";
import { watchWake } from "./page-wake.ts";

test("a page that is shown again, thawed or taken out of the back/forward cache wakes, until it is no longer watched", () => {
  const woken: string[] = [];
  let what = "";
  const stop = watchWake(() => woken.push(what));
  const emit = (target: EventTarget, type: string) => {
    what = type;
    target.dispatchEvent(new Event(type));
  };
  emit(document, "visibilitychange");
  emit(document, "resume");
  emit(window, "pageshow");
  expect(woken).toEqual(["visibilitychange", "resume", "pageshow"]);
  stop();
  emit(document, "visibilitychange");
  emit(document, "resume");
  emit(window, "pageshow");
  expect(woken).toHaveLength(3);
});

test("a page that becomes hidden does not", () => {
  let woken = 0;
  const stop = watchWake(() => (woken += 1));
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
  Reflect.deleteProperty(document, "visibilityState");
  document.dispatchEvent(new Event("visibilitychange"));
  stop();
  expect(woken).toBe(1);
});
