// Owns: OutboxWriter: group commit of new outbox entries and of rows of local-only tables. While one store transaction runs, later entries gather; the next
// transaction takes them all.
// Invariants:
//   1. Entries become durable in the order of `append`.
//   2. After a failure nothing more is written until `takeBack` has collected every entry that is not durable.

import * as limits from "../../core/limits.ts";
import type { BaseChange, NewOutboxEntry, StoreCommit } from "../store/store.ts";
import { Deferred } from "./deferred.ts";

interface Waiting {
  /** Null for a mutation that is not sent. */
  readonly entry: NewOutboxEntry | null;
  readonly changes: readonly BaseChange[];
  readonly durable: Deferred<void>;
}

export interface OutboxWriterDeps {
  readonly write: (
    entries: readonly NewOutboxEntry[],
    changes: readonly BaseChange[],
  ) => Promise<Extract<StoreCommit, { type: "append" }>>;
  /** Called with each durable commit, before the promises of its entries resolve. */
  readonly onCommit: (commit: Extract<StoreCommit, { type: "append" }>) => void;
  /** Called once per failure; whoever is called must call `takeBack`. */
  readonly onFailure: (error: unknown) => void;
}

export class OutboxWriter {
  readonly #deps: OutboxWriterDeps;
  #waiting: Waiting[] = [];
  #failed: Waiting[] | null = null;
  #writing: Promise<void> | null = null;

  constructor(deps: OutboxWriterDeps) {
    this.#deps = deps;
  }

  /** Resolves when the entry and the changes are durable; rejects when they were taken back. */
  append(entry: NewOutboxEntry | null, changes: readonly BaseChange[]): Promise<void> {
    const durable = new Deferred<void>();
    this.#waiting.push({ entry, changes, durable });
    this.#writing ??= this.#write();
    return durable.promise;
  }

  /** Resolves when nothing is waiting or being written. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** After a failure: rejects every entry that is not durable with `error` and goes on with an empty queue. */
  takeBack(error: unknown): void {
    const lost = [...(this.#failed ?? []), ...this.#waiting];
    this.#failed = null;
    this.#waiting = [];
    for (const { durable } of lost) durable.reject(error);
  }

  async #write(): Promise<void> {
    // One microtask, so that mutations of one turn share the first transaction too.
    await Promise.resolve();
    while (this.#waiting.length > 0 && this.#failed === null) {
      const batch = this.#waiting.splice(0, limits.outboxBatchEntriesMax);
      try {
        const commit = await this.#deps.write(
          batch.flatMap(({ entry }) => entry ?? []),
          batch.flatMap(({ changes }) => changes),
        );
        this.#deps.onCommit(commit);
        for (const { durable } of batch) durable.resolve();
      } catch (error) {
        this.#failed = batch;
        this.#deps.onFailure(error);
      }
    }
    this.#writing = null;
  }
}
