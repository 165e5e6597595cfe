// Owns: links for a client that has no other tabs: messages go nowhere, every lock is free.

import type { TabLinks } from "./tab-links.ts";

export function singleTabLinks(): TabLinks {
  const held = new Set<string>();
  return {
    kind: "single",
    openChannel: () => ({ post: () => undefined, close: () => undefined }),
    requestLock: (name, onHeld) => {
      let isWanted = true;
      // Later, as a browser would.
      void Promise.resolve().then(() => {
        if (!isWanted) return;
        held.add(name);
        onHeld();
      });
      return () => {
        isWanted = false;
        held.delete(name);
      };
    },
    isLocked: async (name) => held.has(name),
  };
}
