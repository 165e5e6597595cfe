// Owns: FeedStep: several durable commits folded into one step of the replica, so that they cost one rebase and at most
// one delivery per live query.
// Invariants:
//   1. A mutation is found by the name that it has after the commits before: a renumbering gives it another, and its old one
//      may go to the next.

import { must } from "../../core/lib/assert.ts";
import type { Rejection } from "../../core/protocol/pull.ts";
import type {
  BaseChange,
  FirstSync,
  NewOutboxEntry,
  OutboxEntry,
  SyncCommit,
  UnsentRejection,
} from "../store/store.ts";
import { createPending, keyOf, type PendingMutation } from "./pending-mutation.ts";

/** A mutation that goes on under another id, or another client's. */
export interface Renamed {
  readonly mutation: PendingMutation;
  readonly entry: OutboxEntry | NewOutboxEntry;
}

export class FeedStep {
  readonly patch: BaseChange[] = [];
  /** Of local-only tables. */
  readonly local: BaseChange[] = [];
  /** Entries of other tabs. */
  readonly inserted = new Set<PendingMutation>();
  /** Mutations that leave, each with why it was refused, or null when it was confirmed. */
  readonly gone = new Map<PendingMutation, Rejection | null>();
  /** As they came: a mutation may be renamed again. */
  readonly renamed: Renamed[] = [];
  /** How many ids of a client were given back. */
  readonly movedDown = new Map<string, number>();
  cookie: string | null | undefined = undefined;
  firstSync: FirstSync | undefined = undefined;
  readonly #known: ReadonlyMap<string, PendingMutation>;
  /** What this step has changed of `#known`; null: nobody has the name any more. */
  readonly #names = new Map<string, PendingMutation | null>();
  readonly #renamedTo = new Map<PendingMutation, Renamed["entry"]>();

  /** `known`: the pending mutations before this step, by `keyOf`. */
  constructor(known: ReadonlyMap<string, PendingMutation>) {
    this.#known = known;
  }

  addAppend(entries: readonly OutboxEntry[], changes: readonly BaseChange[] = []): void {
    this.local.push(...changes);
    for (const entry of entries) {
      const own = this.#find(keyOf(entry));
      if (own === undefined) {
        const mutation = createPending(entry, null);
        this.#names.set(keyOf(entry), mutation);
        this.inserted.add(mutation);
        continue;
      }
      if (this.#renamedTo.has(own)) this.#rename(own, entry);
      else own.entry = entry;
      own.order = entry.order;
      own.durable = true;
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
    for (const entry of sync.replace ?? []) this.#renumber(entry);
    if (sync.unsent !== undefined) this.#takeOut(sync.unsent);
  }

  #confirm(confirmed: { readonly [clientID: string]: number }): void {
    for (const mutation of this.#all()) {
      const { clientID, id } = this.#entryOf(mutation);
      const last = confirmed[clientID];
      if (last !== undefined && id <= last && mutation.order !== null) this.#remove(mutation, null);
    }
  }

  #renumber(entry: OutboxEntry): void {
    const mutation = must(
      this.#all().find((m) => m.order === entry.order),
      "replica: a renumbered entry is pending",
    );
    this.#rename(mutation, entry);
  }

  /** The later ones move down, also those of this tab that are not durable yet: the store gives them these ids too. */
  #takeOut(rejection: UnsentRejection): void {
    const { clientID, id, seed } = rejection;
    const refused = this.#find(keyOf(rejection));
    if (refused?.entry.seed !== seed) return;
    this.#remove(refused, rejection);
    const later = this.#all().filter((mutation) => {
      const entry = this.#entryOf(mutation);
      return entry.clientID === clientID && entry.id > id && !this.gone.has(mutation);
    });
    later.sort((a, b) => this.#entryOf(a).id - this.#entryOf(b).id);
    for (const mutation of later) {
      const entry = this.#entryOf(mutation);
      this.#rename(mutation, { ...entry, id: entry.id - 1 });
    }
    this.movedDown.set(clientID, (this.movedDown.get(clientID) ?? 0) + 1);
  }

  #rename(mutation: PendingMutation, entry: Renamed["entry"]): void {
    const before = keyOf(this.#entryOf(mutation));
    if (this.#find(before) === mutation) this.#names.set(before, null);
    this.#names.set(keyOf(entry), mutation);
    this.#renamedTo.set(mutation, entry);
    this.renamed.push({ mutation, entry });
  }

  #all(): PendingMutation[] {
    return [...this.#known.values(), ...this.inserted];
  }

  #entryOf(mutation: PendingMutation): Renamed["entry"] {
    return this.#renamedTo.get(mutation) ?? mutation.entry;
  }

  #find(key: string): PendingMutation | undefined {
    const renamed = this.#names.get(key);
    return renamed === undefined ? this.#known.get(key) : (renamed ?? undefined);
  }

  #remove(mutation: PendingMutation, rejection: Rejection | null): void {
    this.#names.set(keyOf(this.#entryOf(mutation)), null);
    if (this.inserted.delete(mutation) || this.gone.has(mutation)) return;
    this.gone.set(mutation, rejection);
  }
}
