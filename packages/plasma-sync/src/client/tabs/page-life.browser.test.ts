import { expect, test } from "vitest";
import { watchPage, type PageEvent } from "./page-life.ts";

test("a page tells that it is hidden and shown, stopped and gone on, until nobody listens any more", () => {
  const told: PageEvent[] = [];
  let visibility: DocumentVisibilityState = "visible";
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => visibility });
  const page = watchPage((event) => told.push(event));
  const show = (next: DocumentVisibilityState) => {
    visibility = next;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  expect(page.isVisible()).toBe(true);
  show("hidden");
  expect(page.isVisible()).toBe(false);
  document.dispatchEvent(new Event("freeze"));
  document.dispatchEvent(new Event("resume"));
  show("visible");
  // It ends, which needs no word; or it goes into the back/forward cache.
  dispatchEvent(new PageTransitionEvent("pagehide", { persisted: false }));
  dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
  dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  expect(told).toEqual(["hidden", "frozen", "resumed", "visible", "frozen", "resumed"]);
  page.close();
  show("hidden");
  document.dispatchEvent(new Event("freeze"));
  expect(told).toHaveLength(6);
  Reflect.deleteProperty(document, "visibilityState");
});
