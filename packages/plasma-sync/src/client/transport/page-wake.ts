// Owns: word of the page being shown again: after it was hidden, frozen or in the back/forward cache, when timers ran late or not
// at all and connections may have died without a word.

/** Calls `onWake` each time; returns how to end it. Where there is no page, it never does. */
export function watchWake(onWake: () => void): () => void {
  if (typeof document === "undefined") return () => undefined;
  const shown = () => {
    if (document.visibilityState === "visible") onWake();
  };
  document.addEventListener("visibilitychange", shown);
  document.addEventListener("resume", onWake);
  addEventListener("pageshow", shown);
  return () => {
    document.removeEventListener("visibilitychange", shown);
    document.removeEventListener("resume", onWake);
    removeEventListener("pageshow", shown);
  };
}
