// Owns: renewedLog, a remedy for what Chromium does to IndexedDB after its process has died in the middle of a write.
//
//   LevelDB's log  … record | half a record ──next start──► … record | half a record | new records
//                           └─ killed here                            └─ appended behind it (Chromium reuses the log)
//   the start after that: "checksum mismatch", and Chromium deletes all databases of the origin
//
// What is half written does no harm before something is appended to it. So before its first write a page makes LevelDB begin
// a new log: that is what deleting a database does, whichever (measured, with the rest, in docs/decisions/0014).
// Browsers without LevelDB need none of it.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";

const NAME = "plasma:log";
let renewing: Promise<void> | null = null;
let isDone = false;

/** Null once the page may write; before, a promise that never rejects, and resolves soon in any case. */
export function renewedLog(env: Env): Promise<void> | null {
  if (isDone) return null;
  return (renewing ??= renew(env).finally(() => (isDone = true)));
}

async function renew(env: Env): Promise<void> {
  if (!("userAgentData" in navigator)) return;
  await new Promise<void>((resolve) => {
    // A tab that sleeps in the middle of the same keeps us waiting, and storage that is refused fails later, with its reason.
    env.setTimeout(resolve, limits.logRenewMsMax);
    begin(resolve);
  });
}

function begin(resolve: () => void): void {
  try {
    const opening = indexedDB.open(NAME);
    opening.onerror = resolve;
    opening.onsuccess = () => {
      opening.result.close();
      const deleting = indexedDB.deleteDatabase(NAME);
      deleting.onsuccess = deleting.onerror = deleting.onblocked = resolve;
    };
  } catch {
    resolve(); // Told by the open that follows.
  }
}
