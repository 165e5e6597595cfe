import { afterEach, expect, test, vi } from "vitest";
import { watchNetwork } from "./network-state.ts";

afterEach(() => vi.unstubAllGlobals());

/** A page as far as network-state sees it. */
function stubPage(): { readonly events: EventTarget; setOnLine(onLine: boolean): void } {
  const events = new EventTarget();
  const navigator = { onLine: true };
  vi.stubGlobal("navigator", navigator);
  vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
  vi.stubGlobal("removeEventListener", events.removeEventListener.bind(events));
  return { events, setOnLine: (onLine) => void (navigator.onLine = onLine) };
}

test("the platform's word is passed on until it is closed", () => {
  const { events, setOnLine } = stubPage();
  const told: boolean[] = [];
  const network = watchNetwork((online) => void told.push(online));
  expect(network.online()).toBe(true);
  setOnLine(false);
  events.dispatchEvent(new Event("offline"));
  expect(network.online()).toBe(false);
  events.dispatchEvent(new Event("online"));
  network.close();
  events.dispatchEvent(new Event("offline"));
  expect(told).toEqual([false, true]);
});

test("where the platform says nothing, there is a network", () => {
  vi.stubGlobal("navigator", undefined);
  vi.stubGlobal("addEventListener", undefined);
  const network = watchNetwork(() => undefined);
  expect(network.online()).toBe(true);
  network.close();
});
