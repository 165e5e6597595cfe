// Owns: links for a client that has no other tabs: messages go nowhere, every lock is free.

import type { TabLinks } from "./tab-links.ts";

export const singleTabLinks = (): TabLinks => ({
  kind: "single",
  openChannel: () => ({ post: () => undefined, close: () => undefined }),
  requestLock: (_name, onHeld) => {
    let isWanted = true;
    // Later, as a browser would.
    void Promise.resolve().then(() => {
      if (isWanted) onHeld();
    });
    return () => {
      isWanted = false;
    };
  },
  isLocked: async () => false,
});
