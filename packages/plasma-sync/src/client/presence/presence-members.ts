// Owns: PresenceMembers: who is in a room, as its frames tell.
// Invariants:
//   1. `entries` and each entry keep their identity until something in them has changed.
//   2. The order is that of the clientIDs: the same for everybody, whoever came first.

import { sameValue } from "../../core/lib/deep-equal.ts";
import * as limits from "../../core/limits.ts";
import type { PresenceEntry, ServerFrame } from "../../core/protocol/realtime.ts";

export class PresenceMembers {
  #entries: readonly PresenceEntry[] = [];
  #entriesByID = new Map<string, PresenceEntry>();

  get entries(): readonly PresenceEntry[] {
    return this.#entries;
  }

  /** Takes a frame; whether it has changed something. */
  take(frame: ServerFrame): boolean {
    if (frame.type === "presence") return this.#change(frame.entries, this.#absentIn(frame.entries));
    return frame.type === "presence-delta" && this.#change(frame.put, frame.del);
  }

  /** Nothing is known of the room any more; whether that has changed something. */
  clear(): boolean {
    return this.#change([], [...this.#entriesByID.keys()]);
  }

  #absentIn(entries: readonly PresenceEntry[]): string[] {
    const present = new Set(entries.map(({ clientID }) => clientID));
    return [...this.#entriesByID.keys()].filter((clientID) => !present.has(clientID));
  }

  #change(put: readonly PresenceEntry[], del: readonly string[]): boolean {
    let isChanged = false;
    for (const clientID of del) isChanged = this.#entriesByID.delete(clientID) || isChanged;
    for (const entry of put) isChanged = this.#put(entry) || isChanged;
    if (isChanged) this.#entries = [...this.#entriesByID.values()].sort(byClientID);
    return isChanged;
  }

  #put(entry: PresenceEntry): boolean {
    const before = this.#entriesByID.get(entry.clientID);
    if (before === undefined && this.#entriesByID.size >= limits.hubSocketsMax) return false;
    if (before !== undefined && sameValue(before.userInfo, entry.userInfo)) return false;
    this.#entriesByID.set(entry.clientID, entry);
    return true;
  }
}

const byClientID = (a: PresenceEntry, b: PresenceEntry): number => (a.clientID < b.clientID ? -1 : 1);
