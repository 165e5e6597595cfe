// Owns: FeedStep: several durable commits folded into one step of the replica, so that they cost one rebase and at most
// one delivery per live query.

import { must } from "../../core/lib/assert.ts";
import type { Rejection } from "../../core/protocol/pull.ts";
import type { BaseChange, FirstSync, OutboxEntry, SyncCommit } from "../store/store.ts";
import { createPending, keyOf, type PendingMutation } from "./pending-mutation.ts";

export class FeedStep {
  readonly patch: BaseChange[] = [];
  /** Entries of other tabs. */
  readonly inserted = new Set<PendingMutation>();
  /** Mutations that leave, each with why it was refused, or null when it was confirmed. */
  readonly gone = new Map<PendingMutation, Rejection | null>();
  readonly renamed: { readonly mutation: PendingMutation; readonly entry: OutboxEntry }[] = [];
  cookie: string | null | undefined = undefined;
  firstSync: FirstSync | undefined = undefined;
  readonly #known: ReadonlyMap<string, PendingMutation>;
  readonly #new = new Map<string, PendingMutation>();
  /** Under which name a mutation goes on, and which goes on under a name: later commits of the step name it so. */
  readonly #renamedTo = new Map<PendingMutation, OutboxEntry>();
  readonly #renamedFrom = new Map<string, PendingMutation>();

  /** `known`: the pending mutations before this step, by `keyOf`. */
  constructor(known: ReadonlyMap<string, PendingMutation>) {
    this.#known = known;
  }

  addAppend(entries: readonly OutboxEntry[]): void {
    for (const entry of entries) {
      const own = this.#known.get(keyOf(entry));
      if (own === undefined) {
        const mutation = createPending(entry, null);
        this.#new.set(keyOf(entry), mutation);
        this.inserted.add(mutation);
      } else {
        own.entry = entry;
        own.order = entry.order;
        own.durable = true;
      }
    }
  }

  /** `isShown`: the view holds its rows already; only entries that came since then are still to be confirmed. */
  addSync(sync: SyncCommit, { isShown }: { readonly isShown: boolean }): void {
    if (!isShown) for (const change of sync.changes) this.patch.push(change);
    if (sync.cookie !== undefined) this.cookie = sync.cookie;
    if (sync.firstSync !== undefined) this.firstSync = sync.firstSync;
    for (const rejection of sync.rejected) {
      const mutation = this.#find(keyOf(rejection));
      if (mutation !== undefined) this.#remove(mutation, rejection);
    }
    if (Object.keys(sync.confirmed).length > 0) this.#confirm(sync.confirmed);
    for (const entry of sync.replace ?? []) this.#rename(entry);
  }

  #confirm(confirmed: { readonly [clientID: string]: number }): void {
    for (const mutation of [...this.#known.values(), ...this.inserted]) {
      const { clientID, id } = this.#renamedTo.get(mutation) ?? mutation.entry;
      const last = confirmed[clientID];
      if (last !== undefined && id <= last && mutation.order !== null) this.#remove(mutation, null);
    }
  }

  #rename(entry: OutboxEntry): void {
    const all = [...this.#known.values(), ...this.inserted];
    const mutation = must(
      all.find((m) => m.order === entry.order),
      "replica: a renumbered entry is pending",
    );
    this.renamed.push({ mutation, entry });
    this.#renamedTo.set(mutation, entry);
    this.#renamedFrom.set(keyOf(entry), mutation);
  }

  #find(key: string): PendingMutation | undefined {
    return this.#renamedFrom.get(key) ?? this.#known.get(key) ?? this.#new.get(key);
  }

  #remove(mutation: PendingMutation, rejection: Rejection | null): void {
    if (this.inserted.delete(mutation) || this.gone.has(mutation)) return;
    this.gone.set(mutation, rejection);
  }
}
