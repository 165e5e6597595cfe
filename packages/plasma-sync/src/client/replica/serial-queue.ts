// Owns: SerialQueue, which runs async tasks one after another. Whatever changes a replica's view runs in its queue, so no
// two of them interleave at an await.

export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `task` after all earlier ones have ended, whether they failed or not; settles as the task does. */
  run<T>(task: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
