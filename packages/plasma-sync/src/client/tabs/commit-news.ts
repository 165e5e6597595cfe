// Owns: how a commit is told to other tabs: whole, so that they need not read it from disk; a large one only by its number while no
// other tab has been heard, for making a message of it costs as much as writing it, and mostly nobody is there. Who is there all
// the same (frozen, or too new to have said a word) then misses a commit, which it reads from disk.

import * as limits from "../../core/limits.ts";
import type { StoreCommit } from "../store/store.ts";
import type { TabMessage } from "./tab-links.ts";

/** `hasHeard`: another tab has said something since this one opened. */
export function newsOf(commit: StoreCommit, hasHeard: boolean): TabMessage {
  const { changes = [] } = commit.type === "append" ? commit : commit.sync;
  if (hasHeard || changes.length <= limits.tabCommitRowsMax) return { type: "commit", commit };
  return { type: "stored", replicaID: commit.replicaID, seq: commit.seq };
}
