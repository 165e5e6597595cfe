// Owns: CommitFeed, which puts durable commits of all tabs back into the one order in which the store made them.
// Invariants:
//   1. Commits leave in `seq` order without a hole; a commit at or below the last one taken is dropped.
//   2. A hole is either filled by a late message or ends in `restart` after the replica was read from disk.

import type { OutboxEntry, StoreCommit } from "../store/store.ts";

export class CommitFeed {
  #lastSeq: number;
  readonly #waiting = new Map<number, StoreCommit>();

  constructor(lastSeq: number) {
    this.#lastSeq = lastSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Whether a commit waits for one that has not come. */
  get hasGap(): boolean {
    return this.#waiting.size > 0 && !this.#waiting.has(this.#lastSeq + 1);
  }

  add(commit: StoreCommit): void {
    if (commit.seq > this.#lastSeq) this.#waiting.set(commit.seq, commit);
  }

  /** Whether a commit that waits has appended the entry. */
  hasAppend({ clientID, id }: { readonly clientID: string; readonly id: number }): boolean {
    const isIt = (entry: OutboxEntry) => entry.clientID === clientID && entry.id === id;
    return [...this.#waiting.values()].some((commit) => commit.type === "append" && commit.entries.some(isIt));
  }

  /** All commits that follow the last one without a hole. */
  take(): StoreCommit[] {
    const ready: StoreCommit[] = [];
    for (;;) {
      const next = this.#waiting.get(this.#lastSeq + 1);
      if (next === undefined) return ready;
      this.#waiting.delete(next.seq);
      this.#lastSeq = next.seq;
      ready.push(next);
    }
  }

  /** Goes on after a read from disk that was as of `seq`. */
  restart(seq: number): void {
    this.#lastSeq = seq;
    for (const waiting of this.#waiting.keys()) if (waiting <= seq) this.#waiting.delete(waiting);
  }
}
