// Owns: links between the tabs of a browser: BroadcastChannel and Web Locks.

import { singleTabLinks } from "./single-tab-links.ts";
import type { LockOptions, TabLinks, TabMessage } from "./tab-links.ts";

/** The browser's links; single ones where the platform lacks them (a page without a secure context, old engines). */
export function browserTabLinks(): TabLinks {
  const locks = globalThis.navigator?.locks as LockManager | undefined;
  if (locks === undefined || typeof BroadcastChannel === "undefined") return singleTabLinks();
  return {
    kind: "browser",
    openChannel: (name, onMessage) => {
      const channel = new BroadcastChannel(name);
      channel.onmessage = (event: MessageEvent<TabMessage>) => onMessage(event.data);
      return { post: (message) => channel.postMessage(message), close: () => channel.close() };
    },
    requestLock: (name, onHeld, options = {}) => holdLock(locks, name, { ...options, onHeld }),
    isLocked: async (name) => ((await locks.query()).held ?? []).some((lock) => lock.name === name),
  };
}

function holdLock(
  locks: LockManager,
  name: string,
  { steal = false, onHeld, onLost }: LockOptions & { readonly onHeld: () => void },
): () => void {
  const waiting = new AbortController();
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  // What is stolen is had at once: there is nothing to withdraw.
  const request = locks.request(name, steal ? { steal } : { signal: waiting.signal }, () => {
    // Chromium grants a request that was withdrawn in the task that made it.
    if (waiting.signal.aborted) return undefined;
    onHeld();
    return released;
  });
  request.catch((error: unknown) => {
    // Given up before it was granted: that is what the signal is for.
    if (waiting.signal.aborted) return;
    if (!isStolen(error)) throw error;
    onLost?.();
  });
  return () => {
    waiting.abort();
    release();
  };
}

const isStolen = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
