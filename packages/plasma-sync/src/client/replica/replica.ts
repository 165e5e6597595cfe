// Owns: Replica: the view (in the query runtime), the base images beneath pending mutations, and the pending mutations of
// all tabs in the replica's one order.
//
//   mutate ──► queue ──► run on overlay ──► commit to view ──► outbox writer ──► store.append ─┐
//   other tabs ───────────────────────────────────────────────────────────────► broadcast ────┼─► feed ──► rebase
//   sync loop (leader) ───────────────────────────────────────────────────────► store.sync ───┘
//
// Invariants:
//   1. Only tasks of `#queue` change the view, `#images` and `#pending`; each leaves them consistent before it awaits
//      anything outside, so a task may fail at any await without harm.
//   2. Durable commits of every tab are applied in `seq` order. What the view shows before it is durable is this tab's own:
//      its mutations, and the step of syncing that it writes as leader.
//   3. A mutation id is used only by an entry in the outbox: a mutation that fails, or that wrote to local-only tables alone and
//      so is not sent, gives it back.

import { isPlasmaError, PlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";
import type { Rejection } from "../../core/protocol/pull.ts";
import type { Row } from "../../core/schema/value.ts";
import type { BaseChange, FirstSync, NewOutboxEntry, StoreCommit, StoreState, SyncCommit } from "../store/store.ts";
import { baseIDs, baseRow } from "./base-rows.ts";
import { ClientIDs } from "./client-ids.ts";
import type { ColdTables } from "./cold-tables.ts";
import { CommitFeed } from "./commit-feed.ts";
import { CommitWaiters } from "./commit-waiters.ts";
import { LaterRead } from "./later-read.ts";
import { matchOutbox } from "./match-outbox.ts";
import { openRows } from "./open-rows.ts";
import { OutboxWriter } from "./outbox-writer.ts";
import { FeedStep } from "./feed-step.ts";
import { LocalRows } from "./local-rows.ts";
import { MutatorContext } from "./mutator-context.ts";
import { PendingList } from "./pending-list.ts";
import { createPending, inOrder, type PendingMutation } from "./pending-mutation.ts";
import { changesTo, readAll, refusalOn } from "./plan-reload.ts";
import { netChanges, planAppend, planRebase, type BaseImages, type RebaseInput } from "./rebase.ts";
import type { AppliedMutation, MutationCall, ReplicaDeps } from "./replica-deps.ts";
import { ReplicaTransaction } from "./replica-transaction.ts";
import { RowMap } from "./row-map.ts";
import { SerialQueue } from "./serial-queue.ts";

export class Replica {
  readonly #deps: ReplicaDeps;
  readonly #queue = new SerialQueue();
  readonly #outbox: OutboxWriter;
  readonly #feed = new CommitFeed();
  readonly #localTables: ReadonlySet<string>;
  readonly #local = new LocalRows();
  #images: BaseImages = new RowMap();
  readonly #pending = new PendingList();
  #state: Pick<StoreState, "replicaID" | "cookie" | "firstSync"> = {
    replicaID: "",
    cookie: null,
    firstSync: { done: false, rows: 0 },
  };
  readonly #ids: ClientIDs;
  readonly #context: MutatorContext;
  /** The step of syncing that the view shows and that is not durable, as far as this tab knows. */
  #shownEarly: SyncCommit | null = null;
  readonly #later: LaterRead;
  #closed = false;
  readonly #waiters = new CommitWaiters();
  /** Why there is no view, when loading failed; or why it stays as it is, when another schema version has taken over. */
  #loadError: unknown = null;
  /** The disk could not be read when it had to be: whatever builds on the view next reads all of it first. */
  #mustReload = false;
  /** Null where all rows are in memory from the beginning. */
  #cold: ColdTables | null = null;
  /** Number of the last commit that the view shows. */
  #seqShown = 0;

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
    this.#ids = new ClientIDs(deps.clientID, (clientID) => deps.events.clientIDReplaced(clientID));
    this.#context = new MutatorContext(deps.getContext, deps.schema.tablesByName.keys());
    const tables = [...deps.schema.tablesByName.values()];
    this.#localTables = new Set(tables.filter((meta) => meta.changeLogSuppressed).map(({ name }) => name));
    this.#later = new LaterRead(deps.env, () =>
      this.#task(async () => {
        if ((this.#feed.hasGap || this.#mustReload) && !this.#closed) await this.#reload();
      }),
    );
    this.#outbox = new OutboxWriter({
      write: (entries, changes) => deps.store.append(this.#state.replicaID, entries, changes),
      onCommit: (commit) => this.#ownAppend(commit),
      onFailure: (error) => this.#task(() => this.#takeBack(error)),
    });
  }

  get replicaID(): string {
    return this.#state.replicaID;
  }
  get clientID(): string {
    return this.#ids.clientID;
  }
  get lastSeq(): number {
    return this.#feed.lastSeq;
  }
  get cookie(): string | null {
    return this.#state.cookie;
  }
  get firstSync(): FirstSync {
    return this.#state.firstSync;
  }
  /** Whether a pending mutation has files to wait for. */
  get hasFiles(): boolean {
    return this.#pending.hasFiles;
  }
  /** In the replica's order. */
  get pending(): readonly PendingMutation[] {
    return this.#pending.list;
  }

  /** Whether all rows are in memory. */
  get isWarm(): boolean {
    return this.#coldTables.length === 0;
  }

  /**
   * Opens the disk and replays the outbox; rows come later. Mutations and queries wait for it, and fail until it succeeds.
   */
  load(): Promise<void> {
    return this.#queue.run(async () => {
      this.#loadError = null;
      try {
        const cold = { seq: () => this.#seqShown, onFailed: () => this.#coldFailed() };
        const { state, cold: tables } = await openRows({ ...this.#deps, ...cold });
        this.#cold = tables;
        this.#adopt(state);
        const mayKeep = state.lastIDs.has(this.clientID) && this.#deps.ownsClientID();
        if (this.#deps.reusedClientID && !mayKeep) this.#replaceClientID();
        this.#ids.restart(state.lastIDs);
        const pending = state.outbox.map((entry) => createPending(entry, null));
        await this.#rebase(pending).catch((error: unknown) => this.#reloadFor(error));
        // An earlier attempt has left rows that may have grown old.
        await this.#reloadIfNeeded();
      } catch (error) {
        this.#loadError = error;
        throw error;
      }
      this.#shown();
    });
  }

  /**
   * Runs a mutation on the view. `shown` resolves when live queries have delivered it (or rejects with what the mutator
   * threw); its value resolves when the mutation is durable, or rejects when the disk refused it and it was taken back.
   */
  mutate(call: MutationCall): Promise<{ readonly durable: Promise<void> }> {
    return this.#queue.run(async () => {
      const { runtime } = this.#deps;
      if (this.#loadError !== null) throw this.#loadError;
      const { mutation, transaction } = await this.#run(call);
      const { entry } = mutation;
      const { outcome } = call;
      const { changes, effect } = planAppend(runtime, transaction);
      const local: BaseChange[] = [];
      transaction.localWrites.forEach((table, id, row) => local.push({ table, id, row }));
      this.#local.write(local, (table, id) => runtime.source(table).get(id) ?? null);
      if (local.length > 0 && effect.writes.tables.size === 0) {
        const durable = this.#outbox.append(null, local);
        runtime.commit(changes);
        // Nobody else decides about it.
        durable.then(() => outcome.resolve({ clientID: entry.clientID, id: entry.id }), outcome.reject);
        return { durable };
      }
      effect.writes.forEach((table, id) => {
        if (!this.#images.has(table, id)) this.#images.set(table, id, runtime.source(table).get(id) ?? null);
      });
      this.#ids.take();
      mutation.effect = effect;
      this.#pending.add(mutation);
      const durable = this.#outbox.append(entry, local);
      runtime.commit(changes);
      this.#deps.events.changed();
      return { durable };
    });
  }

  /** The server has applied these; they stay in the view until the pull that covers them. */
  applied(applied: readonly AppliedMutation[]): void {
    this.#pending.applied(applied);
  }

  /** Takes a durable commit of any tab, this one included. */
  receive(commit: StoreCommit): void {
    if (this.#loadError !== null) return; // The disk has it, and is read when there is to be a view.
    this.#feed.add(commit);
    this.#task(() => this.#drain());
  }

  /**
   * Shows a step of syncing before it is durable: only the leader's own, one at a time. Its commit, when it comes, changes
   * nothing more; if the store refuses it, the caller reloads.
   */
  showEarly(sync: SyncCommit, replicaID: string): Promise<void> {
    return this.#queue.run(async () => {
      await this.#reloadIfNeeded();
      // Reset meanwhile: the store refuses it.
      if (this.#state.replicaID !== replicaID) return;
      const step = new FeedStep(this.#pending.byKey);
      step.addSync(sync, { isShown: false });
      if (await this.#take(step)) this.#shownEarly = sync;
    });
  }

  /** Reads everything again: another tab has reset the replica. */
  reload(): Promise<void> {
    return this.#queue.run(() => this.#reload());
  }

  /** Reads the disk now if that has failed when it was needed, or if not all commits up to `seq` have come. Throws when it fails. */
  refresh(seq = 0): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#mustReload || this.#feed.lastSeq < seq) await this.#reload();
    });
  }

  /** The disk holds so many commits of this replica: those that do not come within a while are read from there. */
  heardOf(seq: number): void {
    this.#feed.heardOf(seq);
    this.#watchGap();
  }

  /** Empties the replica: rows, outbox, cookie, identities. `onPending` is told what is pending, right before. */
  reset(onPending: (pending: readonly PendingMutation[]) => void = () => undefined): Promise<void> {
    return this.#queue.run(async () => {
      onPending(this.pending);
      await this.#deps.store.reset(this.#localTables);
      await this.#reload();
    });
  }

  /** Resolves when the view holds the commit numbered `seq`, or the replica was closed. */
  async whenApplied(seq: number): Promise<void> {
    await this.#queue.run(() => undefined);
    if (this.#feed.lastSeq >= seq || this.#closed) return;
    await this.#waiters.wait(seq);
  }

  /** Resolves when everything mutated so far is durable or taken back. */
  settled(): Promise<void> {
    return this.#queue.run(() => undefined).then(() => this.#outbox.settled());
  }

  /** Resolves when all rows are in memory. Rejects when the disk cannot be read. */
  async whenWarm(): Promise<void> {
    await this.#queue.run(() => undefined);
    // Then everything is read anew.
    await this.#cold?.whenWarm(this.#cold.tables).catch(() => this.refresh());
  }

  /** The base row: what the view would show without pending mutations; undefined where it lies on disk and is not known. */
  baseRow(table: string, id: string): Row | null | undefined {
    return baseRow(this.#images, this.#deps.runtime.source(table), id);
  }

  /** Of the base rows that are in memory. */
  baseIDs(table: string): Iterable<string> {
    return baseIDs(this.#images, this.#deps.runtime.source(table));
  }

  close(): void {
    this.#closed = true;
    this.#cold?.close();
    this.#later.close();
    this.#waiters.end();
  }

  #ownAppend(commit: Extract<StoreCommit, { type: "append" }>): void {
    for (const entry of commit.entries) {
      const mutation = this.#pending.named(entry, entry.seed);
      if (mutation !== undefined) mutation.durable = true;
    }
    this.#local.durable(commit);
    this.#deps.events.committed(commit);
    this.receive(commit);
  }

  /** Applies the commits that have come in order, all in one rebase and so at most one delivery per query. */
  async #drain(): Promise<void> {
    if (this.#loadError !== null) return;
    await this.#reloadIfNeeded();
    const commits = this.#feed.take();
    if (commits.length > 0) await this.#apply(commits);
    else this.#showLocal(this.#settleLocal([]));
    this.#watchGap();
  }

  async #apply(commits: readonly StoreCommit[]): Promise<void> {
    const step = new FeedStep(this.#pending.byKey);
    for (const commit of commits) {
      if (commit.type === "append") step.addAppend(commit.entries, commit.changes);
      else step.addSync(commit.sync, { isShown: commit.sync === this.#shownEarly });
    }
    await this.#take(step);
    if (commits.some(({ type }) => type === "append")) this.#deps.events.appended();
  }

  /** False when everything was read anew instead: then the view is as of the disk. */
  async #take(step: FeedStep): Promise<boolean> {
    if (step.cookie !== undefined) this.#state = { ...this.#state, cookie: step.cookie };
    if (step.firstSync !== undefined) this.#state = { ...this.#state, firstSync: step.firstSync };
    this.#ids.rename(step);
    const local = this.#settleLocal(step.local);
    if (step.inserted.size + step.patch.length + step.gone.size + step.renamed.length > 0) {
      const staying = this.pending.filter((mutation) => !step.gone.has(mutation));
      try {
        await this.#rebase(inOrder([...staying, ...step.inserted]), {
          patch: step.patch,
          gone: [...step.gone.keys()],
          renamed: new Set(step.renamed.map(({ mutation }) => mutation)),
          local,
        });
      } catch (error) {
        await this.#reloadFor(error, step.gone);
        return false;
      }
    } else this.#showLocal(local);
    for (const [mutation, rejection] of step.gone) this.#settle(mutation, rejection);
    this.#shown();
    return true;
  }

  /** What rows of local-only tables become by durable changes of theirs. */
  #settleLocal(changes: readonly BaseChange[]): RowMap<Row | null> {
    const isPast = ({ replicaID, seq }: StoreCommit) => replicaID !== this.replicaID || seq <= this.#feed.lastSeq;
    return this.#local.settle(changes, isPast);
  }

  #showLocal(rows: RowMap<Row | null>): void {
    const changes = netChanges(this.#deps.runtime, rows);
    if (changes.length > 0) this.#deps.runtime.commit(changes);
  }

  async #rebase(
    pending: readonly PendingMutation[],
    change: Partial<Pick<RebaseInput, "patch" | "gone" | "renamed" | "local" | "isWhole">> & {
      isPartial?: boolean;
    } = {},
  ): Promise<void> {
    const { runtime, run, events } = this.#deps;
    let context: Promise<unknown> | null = null;
    const plan = await planRebase({
      runtime,
      images: this.#images,
      pending,
      gone: [],
      patch: [],
      ...change,
      localTables: this.#localTables,
      run: async (mutation, transaction) =>
        run(mutation, transaction, await (context ??= this.#context.forReplay(transaction))),
    });
    if (plan.failure !== null && change.isPartial !== true) throw plan.failure.error;
    this.#images = plan.images;
    this.#pending.replace(pending);
    pending.forEach((mutation, i) => {
      const effect = plan.effects[i] ?? null;
      mutation.effect = effect;
      if (effect?.error === undefined || mutation.replayReported) return;
      mutation.replayReported = true;
      events.replayFailed(mutation, effect.error);
    });
    runtime.commit(plan.changes, this.#liveStatus(), change.isWhole === true ? this.#coldTables : []);
  }

  /** The disk refused: every entry that is not durable leaves the view and gives its id back. */
  async #takeBack(error: unknown): Promise<void> {
    const lost = this.pending.filter((mutation) => !mutation.durable);
    await this.#rebase(
      this.pending.filter((mutation) => mutation.durable),
      { gone: lost, local: this.#local.takeBack(), isPartial: true },
    );
    this.#outbox.takeBack(error);
    for (const { outcome } of lost) outcome?.reject(error);
    this.#deps.events.storageFailed(error);
    // What the disk holds now is not known for sure (a reset by another tab, an answer that got lost): read it.
    await this.#reload();
  }

  #shown(): void {
    this.#seqShown = this.#feed.lastSeq;
    this.#deps.runtime.setStatus(this.#liveStatus());
    this.#deps.events.changed();
    this.#waiters.reached(this.#feed.lastSeq);
  }

  #liveStatus(): "partial" | "complete" {
    return this.#state.firstSync.done || this.#deps.isAlone === true ? "complete" : "partial";
  }

  #settle(mutation: PendingMutation, rejection: Rejection | null): void {
    if (rejection !== null) this.#deps.events.rejected(mutation, rejection);
    else mutation.outcome?.resolve({ clientID: mutation.entry.clientID, id: mutation.entry.id });
  }

  #replaceClientID(): void {
    this.#ids.replace(this.#deps.env.randomUUID());
  }

  #adopt(state: StoreState): void {
    this.#state = { replicaID: state.replicaID, cookie: state.cookie, firstSync: state.firstSync };
    this.#feed.restart(state);
    this.#seqShown = state.seq;
    this.#shownEarly = null;
  }

  /** Rows could not be had from disk as they were. */
  #coldFailed(): void {
    this.#mustReload = true;
    if (!this.#closed) this.#task(() => this.#reloadIfNeeded());
  }

  get #coldTables(): readonly string[] {
    return this.#cold?.tables ?? [];
  }

  /** Runs a call on the view. Where rows cannot be had as they were, everything is read anew and it runs again. */
  async #run(call: MutationCall): Promise<{ mutation: PendingMutation; transaction: ReplicaTransaction }> {
    const { outcome, ...made } = call;
    for (;;) {
      await this.#reloadIfNeeded();
      const entry: NewOutboxEntry = { ...made, clientID: this.clientID, id: this.#ids.next, base: this.#state.cookie };
      const mutation = createPending(entry, outcome);
      const transaction = new ReplicaTransaction(this.#deps.runtime, new RowMap(), { localTables: this.#localTables });
      const context = await this.#context.forCall();
      try {
        await this.#deps.run(mutation, transaction, context);
      } catch (error) {
        if (transaction.failure === null) throw error;
      }
      if (transaction.failure === null) return { mutation, transaction };
      this.#mustReload = true;
    }
  }

  async #reloadIfNeeded(): Promise<void> {
    if (this.#mustReload) await this.#reload();
  }

  /** A rebase could not read what it needed. `gone`: mutations that were to leave, each with why. */
  async #reloadFor(error: unknown, gone?: FeedStep["gone"]): Promise<void> {
    this.#mustReload = true;
    await this.#reload(gone);
    if (this.#mustReload) throw error;
  }

  async #reload(leaving?: FeedStep["gone"]): Promise<void> {
    // Told when it was met; commits are not followed any more, so what is on disk now would grow old here.
    if (this.#loadError !== null) return;
    this.#mustReload = true;
    const { rows, state } = await readAll(this.#deps.store).catch((error: unknown) => {
      // The commits that follow are of another schema.
      if (isPlasmaError(error, "client/outdated")) this.#loadError = error;
      this.#watchGap();
      throw error;
    });
    this.#cold?.freeze();
    this.#mustReload = false;
    const wasReset = state.replicaID !== this.#state.replicaID;
    this.#adopt(state);
    const changes = changesTo(rows, this.#deps.schema.tablesByName.keys(), (table) => this.baseIDs(table));
    const local = changes.filter(({ table }) => this.#localTables.has(table));
    const patch = changes.filter(({ table }) => !this.#localTables.has(table));
    // What this tab has made and the disk did not hold when it was read: not durable, or durable since then.
    const isYetToCome = ({ durable, entry }: PendingMutation) => !wasReset && (!durable || this.#feed.hasAppend(entry));
    const { pending, gone } = matchOutbox(state.outbox, this.pending, isYetToCome);
    if (wasReset) this.#replaceClientID();
    this.#ids.restart(state.lastIDs);
    for (const mutation of pending) {
      if (mutation.order !== null || mutation.entry.clientID !== this.clientID) continue;
      // Ids may have moved while this tab did not hear of it.
      mutation.entry = { ...mutation.entry, id: this.#ids.take() };
    }
    await this.#rebase(pending, { patch, gone, local: this.#settleLocal(local), isWhole: true });
    this.#cold?.end();
    // Another tab's is told by that tab, or was told by the leader.
    const refusalOf = (one: PendingMutation) => (one.entry.clientID === this.clientID ? refusalOn(state, one) : null);
    for (const mutation of gone) {
      if (wasReset) mutation.outcome?.reject(new PlasmaError("client/reset", {}));
      else this.#settle(mutation, leaving?.get(mutation) ?? refusalOf(mutation));
    }
    if (wasReset) this.#deps.events.reset(gone);
    this.#shown();
    this.#deps.events.appended();
  }

  /** Reads the disk in a while if a commit is missing that does not come, or if the disk could not be read. */
  #watchGap(): void {
    const waitMs = this.#mustReload ? limits.diskRetryMs : limits.commitGapWaitMs;
    if (!this.#feed.hasGap && !this.#mustReload) this.#later.cancel();
    else if (this.#loadError === null) this.#later.plan(waitMs, this.#mustReload ? -1 : this.#feed.lastSeq);
  }

  /** A task that nobody waits for: its failure is told as an event. */
  #task(task: () => Promise<void>): void {
    this.#queue.run(task).catch((error: unknown) => this.#deps.events.storageFailed(error));
  }
}
