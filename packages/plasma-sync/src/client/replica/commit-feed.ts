// Owns: CommitFeed, which puts durable commits of all tabs back into the one order in which the store made them.
// Invariants:
//   1. Commits leave in `seq` order without a hole; a commit at or below the last one taken is dropped.
//   2. Only commits of the replica that this tab has open leave. One of another is heard behind a reset that this tab has
//      followed, or before one that it has not: the disk knows.
//   3. What waits ends in `restart` after the replica was read from disk, unless a late message fills the hole before.

import type { OutboxEntry, StoreCommit } from "../store/store.ts";

export class CommitFeed {
  #replicaID = "";
  #lastSeq = 0;
  /** The disk is known to hold so many commits of the replica. */
  #heardOf = 0;
  /** By `placeOf`. */
  readonly #waiting = new Map<string, StoreCommit>();

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /**
   * Whether a commit has not come though a later one has, or though the disk is known to hold it; or one that waits is of
   * another replica. Whoever made it may have died over telling.
   */
  get hasGap(): boolean {
    return (this.#waiting.size > 0 || this.#heardOf > this.#lastSeq) && !this.#waiting.has(this.#next);
  }

  /** The disk holds so many commits of the replica that this tab has open. */
  heardOf(seq: number): void {
    this.#heardOf = Math.max(this.#heardOf, seq);
  }

  add(commit: StoreCommit): void {
    if (!this.#isOver(commit)) this.#waiting.set(placeOf(commit), commit);
  }

  /** Whether a commit that waits has appended the entry. */
  hasAppend({ seed }: { readonly seed: string }): boolean {
    const isIt = (entry: OutboxEntry) => entry.seed === seed;
    return [...this.#waiting.values()].some((commit) => commit.type === "append" && commit.entries.some(isIt));
  }

  /** All commits that follow the last one without a hole. */
  take(): StoreCommit[] {
    const ready: StoreCommit[] = [];
    for (;;) {
      const next = this.#waiting.get(this.#next);
      if (next === undefined) return ready;
      this.#waiting.delete(this.#next);
      this.#lastSeq = next.seq;
      ready.push(next);
    }
  }

  /** Goes on after a read from disk, which was as of `seq` of the replica. */
  restart({ replicaID, seq }: { readonly replicaID: string; readonly seq: number }): void {
    if (replicaID !== this.#replicaID) this.#heardOf = 0;
    this.#replicaID = replicaID;
    this.#lastSeq = seq;
    for (const [place, commit] of this.#waiting)
      if (commit.replicaID !== replicaID || this.#isOver(commit)) this.#waiting.delete(place);
  }

  get #next(): string {
    return placeOf({ replicaID: this.#replicaID, seq: this.#lastSeq + 1 });
  }

  #isOver({ replicaID, seq }: StoreCommit): boolean {
    return replicaID === this.#replicaID && seq <= this.#lastSeq;
  }
}

const placeOf = ({ replicaID, seq }: Pick<StoreCommit, "replicaID" | "seq">): string => `${seq} ${replicaID}`;
