// Owns: what happens to the page of this tab, as the platform tells it: it is shown or hidden, and it stops and goes on. A page
// that is stopped without a word (a debugger, a sleeping machine) is noticed by other tabs alone.
// Invariants:
//   1. A page that goes into the back/forward cache counts as frozen, and as resumed when it comes back from there.

export type PageEvent = "visible" | "hidden" | "frozen" | "resumed";

export interface PageLife {
  isVisible(): boolean;
  close(): void;
}

/** Calls `onEvent` for each, before the page stops. Where there is no page (a worker, a server) it is visible and never stops. */
export function watchPage(onEvent: (event: PageEvent) => void): PageLife {
  if (typeof document === "undefined") return visiblePage;
  const isVisible = () => document.visibilityState === "visible";
  const watching = new AbortController();
  const on = (target: EventTarget, type: string, eventOf: (event: Event) => PageEvent | null) => {
    const listener = (event: Event) => {
      const what = eventOf(event);
      if (what !== null) onEvent(what);
    };
    target.addEventListener(type, listener, { signal: watching.signal });
  };
  on(document, "visibilitychange", () => (isVisible() ? "visible" : "hidden"));
  on(document, "freeze", () => "frozen");
  on(document, "resume", () => "resumed");
  on(globalThis, "pagehide", (event) => (isCached(event) ? "frozen" : null));
  on(globalThis, "pageshow", (event) => (isCached(event) ? "resumed" : null));
  return { isVisible, close: () => watching.abort() };
}

/** A page that is always there. */
export const visiblePage: PageLife = { isVisible: () => true, close: () => undefined };

const isCached = (event: Event): boolean => (event as PageTransitionEvent).persisted;
