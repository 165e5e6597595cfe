// Owns: CommitWaiters: who waits until the view holds a commit.

export class CommitWaiters {
  #waiting: { readonly seq: number; readonly resolve: () => void }[] = [];

  /** Resolves when `reached` or `end` says so. */
  wait(seq: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ seq, resolve }));
  }

  /** The view holds all commits up to `seq`. */
  reached(seq: number): void {
    const over = this.#waiting.filter((one) => one.seq <= seq);
    this.#waiting = this.#waiting.filter((one) => one.seq > seq);
    for (const { resolve } of over) resolve();
  }

  /** Nobody waits any longer. */
  end(): void {
    this.reached(Infinity);
  }
}
