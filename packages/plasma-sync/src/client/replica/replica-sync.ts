// Owns: what the sync loop does to a replica (the SyncReplica contract): which entries to push next, what results, gaps and
// pages mean. Only the leading tab has one; each write carries its epoch.
// Invariants:
//   1. A page is shown by this tab while it is written, and by other tabs when it is durable. A refusal is told when it is
//      durable, so that it is told once. What the store refuses to write leaves the view again: the disk is read.
//   2. An applied entry stays pending until the pull that covers it, so that nothing flickers. If a catch-up that began when it
//      was applied ends without it, the server has lost it (a restored backup) and it is pushed again; if not, that is harmless.
//   3. A catch-up is one commit; only the first sync of an empty replica commits page by page.
//   4. What was asked for one replica never reaches the one that a reset by another tab has put in its place.
//   5. An entry goes out under the schema version that it was made with, and under the client's own when the server does not
//      take that one: it is applied or refused, and never stays for ever.
//   6. An entry with files goes out when the server has them, as far as this leader knows for sure and not from long ago: the
//      server collects what nothing refers to. When that cannot come about (the bytes are not here, the server refuses them) the
//      entries that waited go out as they are, and the server decides; later ones of the same file wait anew.

import { PlasmaError } from "../../core/error.ts";
import { must } from "../../core/lib/assert.ts";
import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { PullResponse, Rejection } from "../../core/protocol/pull.ts";
import type { MutationResult } from "../../core/protocol/push.ts";
import { utf8SizeBytes } from "../../core/lib/utf8.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { OutboxEntry, Store, StoreCommit, SyncCommit } from "../store/store.ts";
import type { FileToUpload, SyncReplica } from "../sync/sync-replica.ts";
import { createHoldCheck } from "./held-mutations.ts";
import { keyOf, type PendingMutation } from "./pending-mutation.ts";
import { PullBuffer } from "./pull-buffer.ts";
import type { AppliedMutation } from "./replica-deps.ts";
import type { Replica } from "./replica.ts";

export interface ReplicaSyncDeps {
  readonly schema: AnySchema;
  readonly schemaVersion: string;
  readonly replica: Replica;
  /** The replica whose epoch this is: after a reset by another tab there is nothing to do for it any more. */
  readonly replicaID: string;
  readonly store: Store;
  readonly env: Env;
  readonly epoch: number;
  /** The commit is durable: hand it to this tab's replica and the other tabs. */
  readonly committed: (commit: StoreCommit) => void;
  /** The server has applied these; tell the tabs that made them. */
  readonly applied: (applied: readonly AppliedMutation[]) => void;
}

/** Bytes of an entry in a push beside its args: names, ids, punctuation. */
const entryEnvelopeBytes = 400;

export class ReplicaSync implements SyncReplica {
  readonly #deps: ReplicaSyncDeps;
  /** When the disk last said that this tab syncs. */
  #confirmedAtMs: number;
  #buffer: PullBuffer | null = null;
  /** Entries that were applied when the catch-up began: its end confirms them. */
  #awaited: readonly PendingMutation[] = [];
  /** Versions that the server does not take. */
  readonly #refusedVersions = new Set<string>();
  /** When the server was last known to have a file, in milliseconds since the epoch. */
  readonly #uploadedAtMs = new Map<string, number>();
  /** Mutations that wait for these files no more, although the server is not known to have them. */
  readonly #letGo = new WeakMap<PendingMutation, Set<string>>();

  constructor(deps: ReplicaSyncDeps) {
    this.#deps = deps;
    this.#confirmedAtMs = deps.env.now();
  }

  get replicaID(): string {
    return this.#deps.replica.replicaID;
  }

  async confirmReign(): Promise<void> {
    const { env, store, replica, replicaID, epoch } = this.#deps;
    const now = env.now();
    // Either way: the clock may have been set.
    if (Math.abs(now - this.#confirmedAtMs) < limits.reignCheckMs) return;
    const reign = await store.reign(replicaID);
    if (reign.epoch !== epoch) throw new PlasmaError("client/deposed", {});
    this.#confirmedAtMs = now;
    replica.heardOf(reign.seq);
  }

  cookie(): string | null {
    return this.#deps.replica.cookie;
  }

  pullCookie(): string | null {
    if (this.#buffer === null)
      this.#awaited = this.#deps.replica.pending.filter((mutation) => mutation.state === "applied");
    return this.#buffer?.cookie ?? this.cookie();
  }

  patchableCookie(): string | null {
    return this.#buffer === null && this.#deps.replica.firstSync.done ? this.cookie() : null;
  }

  nextPush(countMax: number, bytesMax: number): readonly OutboxEntry[] {
    const batch: OutboxEntry[] = [];
    let sizeBytes = 0;
    const isHeld = createHoldCheck((hash, mutation) => this.#isFree(hash, mutation));
    for (const mutation of this.#deps.replica.pending) {
      if (mutation.order === null || batch.length >= countMax) break;
      if (mutation.state === "applied" || isHeld(mutation)) continue;
      const entry = this.#asPushed(mutation.entry as OutboxEntry);
      if (batch[0] !== undefined && entry.schemaVersion !== batch[0].schemaVersion) break;
      sizeBytes += utf8SizeBytes(JSON.stringify(entry.args)) + entryEnvelopeBytes;
      if (batch.length > 0 && sizeBytes > bytesMax) break;
      mutation.state = "sent";
      batch.push(entry);
    }
    return batch;
  }

  async pushed(results: readonly MutationResult[]): Promise<void> {
    const rejected: Rejection[] = [];
    const applied: AppliedMutation[] = [];
    const pending = new Map(this.#deps.replica.pending.map(({ entry }) => [keyOf(entry), entry]));
    for (const { clientID, id, status, error } of results) {
      const seed = pending.get(keyOf({ clientID, id }))?.seed;
      if (status !== "rejected" && seed !== undefined) applied.push({ clientID, id, seed });
      if (status === "rejected")
        rejected.push({
          clientID,
          id,
          code: error?.code ?? "mutation/app",
          message: error?.message ?? "The server refused it.",
        });
    }
    this.#deps.applied(applied);
    if (rejected.length > 0) await this.#commit({ changes: [], confirmed: {}, rejected });
  }

  pushFailed(entries: readonly OutboxEntry[], error: string): void {
    const orders = new Set(entries.map((entry) => entry.order));
    for (const mutation of this.#deps.replica.pending) {
      if (mutation.order === null || !orders.has(mutation.order)) continue;
      if (mutation.state === "sent") mutation.state = "queued";
      mutation.attempts += 1;
      mutation.lastError = error;
    }
  }

  versionRefused([first]: readonly OutboxEntry[]): boolean {
    const version = first?.schemaVersion ?? this.#deps.schemaVersion;
    if (version === this.#deps.schemaVersion) return false;
    this.#refusedVersions.add(version);
    return true;
  }

  filesToUpload(): readonly FileToUpload[] {
    const files = new Map<string, FileToUpload>();
    if (!this.#deps.replica.hasFiles) return [];
    for (const mutation of this.#deps.replica.pending) {
      const { order, state, entry } = mutation;
      if (order === null || state === "applied") continue;
      for (const hash of entry.files ?? [])
        if (!files.has(hash) && !this.#isFree(hash, mutation)) files.set(hash, { hash, args: entry.args });
    }
    return [...files.values()];
  }

  fileUploaded(hash: string, atMs: number): void {
    this.#uploadedAtMs.set(hash, atMs);
  }

  fileLetGo(hash: string): void {
    for (const mutation of this.#deps.replica.pending) {
      if (mutation.order === null || mutation.entry.files?.includes(hash) !== true) continue;
      this.#letGo.set(mutation, (this.#letGo.get(mutation) ?? new Set()).add(hash));
    }
  }

  async fileRefused(hash: string, message: string): Promise<void> {
    for (;;) {
      const refused = this.#deps.replica.pending.find(
        ({ order, state, attempts, entry }) =>
          order !== null && state === "queued" && attempts === 0 && entry.files?.includes(hash) === true,
      );
      if (refused === undefined) return;
      const { clientID, id, seed } = refused.entry;
      const unsent = { clientID, id, seed, code: "blob/refused", message };
      await this.#commit({ changes: [], confirmed: {}, rejected: [], unsent });
    }
  }

  #isFree(hash: string, mutation: PendingMutation): boolean {
    if (this.#letGo.get(mutation)?.has(hash) === true) return true;
    const atMs = this.#uploadedAtMs.get(hash);
    return atMs !== undefined && this.#deps.env.now() - atMs < limits.uploadKnownMs;
  }

  #asPushed(entry: OutboxEntry): OutboxEntry {
    const { schemaVersion } = this.#deps;
    return this.#refusedVersions.has(entry.schemaVersion) ? { ...entry, schemaVersion } : entry;
  }

  async pushGap(clientID: string, lastMutationID: number): Promise<void> {
    const own = this.#deps.replica.pending.filter(
      (mutation): mutation is PendingMutation & { entry: OutboxEntry } =>
        mutation.order !== null && mutation.entry.clientID === clientID,
    );
    // Known ones run no second time under whatever name.
    for (const mutation of own) mutation.state = mutation.entry.id <= lastMutationID ? "applied" : "queued";
    const rest = own.filter(({ entry }) => entry.id > lastMutationID);
    if (rest.every(({ entry }, i) => entry.id === lastMutationID + 1 + i)) return;
    // The server has lost ids that this replica no longer has, before these or among them where one was refused (a restored
    // backup): the rest goes on as a new client.
    const renamed = this.#deps.env.randomUUID();
    const replace = rest.map(({ entry }, i) => ({ ...entry, clientID: renamed, id: i + 1 }));
    await this.#commit({ changes: [], confirmed: {}, rejected: [], replace });
  }

  async pulled(page: PullResponse): Promise<void> {
    const { schema, replica } = this.#deps;
    this.#assertSameReplica();
    const firstSync = !replica.firstSync.done;
    const buffer = (this.#buffer ??= new PullBuffer(schema));
    buffer.add(page);
    // Over an empty base a `clear` clears nothing, so the first pages may be shown as they come.
    if (firstSync && this.#baseIsEmpty()) buffer.cleared = false;
    const showPage = firstSync && !buffer.cleared;
    if (page.hasMore === true && !showPage) return;
    if (buffer.cleared) {
      // What it does not mention is deleted.
      await replica.whenWarm();
      this.#assertSameReplica();
      // Given up meanwhile.
      if (this.#buffer !== buffer) return;
    }
    this.#buffer = null;
    const rows = replica.firstSync.rows + (firstSync ? buffer.putCount : 0);
    const base = {
      get: (table: string, id: string) => replica.baseRow(table, id),
      ids: (table: string) => replica.baseIDs(table),
    };
    const commit: SyncCommit = {
      changes: buffer.changes(base),
      cookie: must(buffer.cookie, "replica sync: a page has a cookie"),
      confirmed: buffer.confirmed,
      rejected: buffer.rejected,
      ...(firstSync ? { firstSync: { done: page.hasMore !== true, rows } } : {}),
    };
    if (this.#changesSomething(commit)) await this.#commit(commit);
    if (page.hasMore !== true) this.#queueLost();
  }

  /** Queues again what the catch-up should have confirmed: for the next poll, so that no server makes this spin. */
  #queueLost(): void {
    const pending = new Set(this.#deps.replica.pending);
    for (const mutation of this.#awaited)
      if (mutation.state === "applied" && pending.has(mutation)) mutation.state = "queued";
    this.#awaited = [];
  }

  abandonPull(): void {
    this.#buffer = null;
  }

  async forgetCookie(): Promise<void> {
    this.#buffer = null;
    await this.#commit({ changes: [], confirmed: {}, rejected: [], cookie: null });
  }

  /** What was asked for the replica before a reset would be taken for the first sync of the new one. */
  #assertSameReplica(): void {
    if (this.#deps.replica.replicaID !== this.#deps.replicaID) throw new PlasmaError("client/deposed", {});
  }

  #baseIsEmpty(): boolean {
    const { schema, replica } = this.#deps;
    for (const [table, { changeLogSuppressed }] of schema.tablesByName)
      if (!changeLogSuppressed) for (const _ of replica.baseIDs(table)) return false;
    return replica.isWarm;
  }

  #changesSomething({ changes, cookie, confirmed, rejected, firstSync }: SyncCommit): boolean {
    const news = changes.length > 0 || rejected.length > 0 || Object.keys(confirmed).length > 0;
    return news || cookie !== this.cookie() || firstSync !== undefined;
  }

  /** Shows the commit and writes it at the same time; resolves when it is durable and in the view. */
  async #commit(commit: SyncCommit): Promise<void> {
    const { store, replica, replicaID, epoch, committed } = this.#deps;
    this.#assertSameReplica();
    const isEarly = commit.rejected.length === 0 && commit.replace === undefined && commit.unsent === undefined;
    const shown = isEarly ? replica.showEarly(commit, replicaID) : Promise.resolve();
    // When it cannot be shown early, the durable commit is shown, or says why it cannot be.
    shown.catch(() => undefined);
    try {
      const durable = await store.sync(replicaID, epoch, commit);
      committed(durable);
      await replica.whenApplied(durable.seq);
    } catch (error) {
      if (isEarly) await replica.reload();
      throw error;
    }
  }
}
