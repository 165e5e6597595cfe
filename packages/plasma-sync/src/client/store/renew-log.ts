// Owns: renewLog, a remedy for what Chromium does to IndexedDB after its process has died in the middle of a write.
//
//   LevelDB's log  … record | half a record ──next start──► … record | half a record | new records
//                           └─ killed here                            └─ appended behind it (Chromium reuses the log)
//   the start after that: "checksum mismatch", and Chromium deletes all databases of the origin
//
// What is half written does no harm before something is appended to it. So the first tab of a browser that holds what is
// nowhere else makes LevelDB begin a new log, by writing as much as one log holds; the old one is merged and dropped.
// Measured in docs/decisions/0014.
// It is no part of the replica: another database, which exists for a moment. Browsers without LevelDB need none of it.

import * as limits from "../../core/limits.ts";
import { completed, resultOf } from "./idb-requests.ts";

const NAME = "plasma:log";

/** Writes until the log is a new one. Rejects as IndexedDB does, say for want of space: then nothing is better or worse. */
export async function renewLog(): Promise<void> {
  if (!("userAgentData" in navigator)) return;
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("filling");
  const database = await resultOf(opening);
  try {
    const tx = database.transaction("filling", "readwrite", { durability: "relaxed" });
    const done = completed(tx);
    const filling = tx.objectStore("filling");
    for (let i = 0; i < limits.logFillingCount; i++) filling.put(new Uint8Array(limits.logFillingBytes), i);
    filling.clear();
    tx.commit();
    await done;
  } finally {
    database.close();
    indexedDB.deleteDatabase(NAME);
  }
}
