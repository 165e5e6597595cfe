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
import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { Rejection } from "../../core/protocol/pull.ts";
import type { Row } from "../../core/schema/value.ts";
import type { BaseChange, FirstSync, NewOutboxEntry, StoreCommit, StoreState, SyncCommit } from "../store/store.ts";
import { ClientIDs } from "./client-ids.ts";
import { CommitFeed } from "./commit-feed.ts";
import { matchOutbox } from "./match-outbox.ts";
import { OutboxWriter } from "./outbox-writer.ts";
import { FeedStep } from "./feed-step.ts";
import { LocalRows } from "./local-rows.ts";
import { MutatorContext } from "./mutator-context.ts";
import { PendingList } from "./pending-list.ts";
import { createPending, inOrder, keyOf, type PendingMutation } from "./pending-mutation.ts";
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
  #gapTimer: ReturnType<Env["setTimeout"]> | null = null;
  #closed = false;
  #waiting: { readonly seq: number; readonly resolve: () => void }[] = [];
  /** Why there is no view, when loading failed; or why it stays as it is, when another schema version has taken over. */
  #loadError: unknown = null;
  /** The disk could not be read again when it had to be: whatever builds on the view next reads it first. */
  #mustReload = false;

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
    this.#ids = new ClientIDs(deps.clientID, (clientID) => deps.events.clientIDReplaced(clientID));
    this.#context = new MutatorContext(deps.getContext, deps.schema.tablesByName.keys());
    const tables = [...deps.schema.tablesByName.values()];
    this.#localTables = new Set(tables.filter((meta) => meta.changeLogSuppressed).map(({ name }) => name));
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

  /** Reads everything from disk and replays the outbox. Mutations and queries wait for it; when it fails they fail too. */
  load(): Promise<void> {
    return this.#queue.run(async () => {
      try {
        const state = await this.#deps.store.load((table, rows) => this.#deps.runtime.fill(table, rows));
        this.#adopt(state);
        const mayKeep = state.lastIDs.has(this.clientID) && this.#deps.ownsClientID();
        if (this.#deps.reusedClientID && !mayKeep) this.#replaceClientID();
        this.#ids.restart(state.lastIDs);
        await this.#rebase(state.outbox.map((entry) => createPending(entry, null)));
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
      if (this.#mustReload) await this.#reload();
      const { outcome, ...made } = call;
      const entry: NewOutboxEntry = { ...made, clientID: this.clientID, id: this.#ids.next, base: this.#state.cookie };
      const mutation = createPending(entry, outcome);
      const transaction = new ReplicaTransaction(runtime, new RowMap(), this.#localTables);
      await this.#deps.run(mutation, transaction, await this.#context.forCall());
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
    for (const { clientID, id, seed } of applied) {
      const mutation = this.#pending.named({ clientID, id }, seed);
      if (mutation === undefined) continue;
      mutation.state = "applied";
      mutation.outcome?.resolve({ clientID, id });
    }
  }

  /** Takes a durable commit of any tab, this one included. */
  receive(commit: StoreCommit): void {
    this.#feed.add(commit);
    this.#task(() => this.#drain());
  }

  /**
   * Shows a step of syncing before it is durable: only the leader's own, one at a time. Its commit, when it comes, changes
   * nothing more; if the store refuses it, the caller reloads.
   */
  showEarly(sync: SyncCommit, replicaID: string): Promise<void> {
    return this.#queue.run(async () => {
      // Reset meanwhile: the store refuses it.
      if (this.#state.replicaID !== replicaID) return;
      const step = new FeedStep(this.#pending.byKey);
      step.addSync(sync, { isShown: false });
      await this.#take(step);
      this.#shownEarly = sync;
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
    await new Promise<void>((resolve) => this.#waiting.push({ seq, resolve }));
  }

  /** Resolves when everything mutated so far is durable or taken back. */
  async settled(): Promise<void> {
    await this.#queue.run(() => undefined);
    await this.#outbox.settled();
  }

  /** The base row: what the view would show without pending mutations. */
  baseRow(table: string, id: string): Row | null {
    const image = this.#images.get(table, id);
    return image === undefined ? (this.#deps.runtime.source(table).get(id) ?? null) : image;
  }

  *baseIDs(table: string): Iterable<string> {
    const images = this.#images.tables.get(table);
    for (const row of this.#deps.runtime.source(table).rows()) {
      const id = row["id"] as string;
      if (images?.has(id) !== true) yield id;
    }
    for (const [id, image] of images ?? []) if (image !== null) yield id;
  }

  close(): void {
    this.#closed = true;
    this.#clearGapTimer();
    this.#wake(() => true);
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
    if (this.#mustReload) await this.#reload();
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

  async #take(step: FeedStep): Promise<void> {
    if (step.cookie !== undefined) this.#state = { ...this.#state, cookie: step.cookie };
    if (step.firstSync !== undefined) this.#state = { ...this.#state, firstSync: step.firstSync };
    this.#ids.rename(step);
    const local = this.#settleLocal(step.local);
    if (step.inserted.size + step.patch.length + step.gone.size + step.renamed.length > 0) {
      const staying = this.pending.filter((mutation) => !step.gone.has(mutation));
      await this.#rebase(inOrder([...staying, ...step.inserted]), {
        patch: step.patch,
        gone: [...step.gone.keys()],
        renamed: new Set(step.renamed.map(({ mutation }) => mutation)),
        local,
      });
    } else this.#showLocal(local);
    for (const [mutation, rejection] of step.gone) this.#settle(mutation, rejection);
    this.#shown();
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
    change: Partial<Pick<RebaseInput, "patch" | "gone" | "renamed" | "local">> = {},
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
    this.#images = plan.images;
    this.#pending.replace(pending);
    pending.forEach((mutation, i) => {
      const effect = plan.effects[i] ?? null;
      mutation.effect = effect;
      if (effect?.error === undefined || mutation.replayReported) return;
      mutation.replayReported = true;
      events.replayFailed(mutation, effect.error);
    });
    runtime.commit(plan.changes, this.#liveStatus());
  }

  /** The disk refused: every entry that is not durable leaves the view and gives its id back. */
  async #takeBack(error: unknown): Promise<void> {
    const lost = this.pending.filter((mutation) => !mutation.durable);
    await this.#rebase(
      this.pending.filter((mutation) => mutation.durable),
      { gone: lost, local: this.#local.takeBack() },
    );
    this.#outbox.takeBack(error);
    for (const { outcome } of lost) outcome?.reject(error);
    this.#deps.events.storageFailed(error);
    // What the disk holds now is not known for sure (a reset by another tab, an answer that got lost): read it.
    await this.#reload();
  }

  #shown(): void {
    this.#deps.runtime.setStatus(this.#liveStatus());
    this.#deps.events.changed();
    this.#wake((seq) => seq <= this.#feed.lastSeq);
  }

  #liveStatus(): "partial" | "complete" {
    return this.#state.firstSync.done || this.#deps.isAlone === true ? "complete" : "partial";
  }

  #wake(isOver: (seq: number) => boolean): void {
    const over = this.#waiting.filter(({ seq }) => isOver(seq));
    this.#waiting = this.#waiting.filter(({ seq }) => !isOver(seq));
    for (const { resolve } of over) resolve();
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
    this.#shownEarly = null;
  }

  async #reload(): Promise<void> {
    // Told when it was met; commits are not followed any more, so what is on disk now would grow old here.
    if (this.#loadError !== null) return;
    this.#mustReload = true;
    const { rows, state } = await this.#readAgain().catch((error: unknown) => {
      this.#watchGap();
      throw error;
    });
    this.#mustReload = false;
    const wasReset = state.replicaID !== this.#state.replicaID;
    this.#adopt(state);
    const patch: BaseChange[] = [];
    const local: BaseChange[] = [];
    const listOf = (table: string) => (this.#localTables.has(table) ? local : patch);
    rows.forEach((table, id, row) => listOf(table).push({ table, id, row }));
    for (const table of this.#deps.schema.tablesByName.keys()) {
      for (const id of this.baseIDs(table)) if (!rows.has(table, id)) listOf(table).push({ table, id, row: null });
    }
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
    await this.#rebase(pending, { patch, gone, local: this.#settleLocal(local) });
    // Another tab's is told by that tab, or was told by the leader.
    const refusalOf = ({ entry }: PendingMutation) =>
      entry.clientID === this.clientID
        ? (state.refused.find(({ seed, ...name }) =>
            seed === undefined ? keyOf(name) === keyOf(entry) : seed === entry.seed,
          ) ?? null)
        : null;
    for (const mutation of gone) {
      if (wasReset) mutation.outcome?.reject(new PlasmaError("client/reset", {}));
      else this.#settle(mutation, refusalOf(mutation));
    }
    this.#shown();
    this.#deps.events.appended();
  }

  async #readAgain(): Promise<{ readonly rows: RowMap<Row | null>; readonly state: StoreState }> {
    const rows = new RowMap<Row | null>();
    try {
      const state = await this.#deps.store.load((table, batch) => {
        for (const row of batch) rows.set(table, row["id"] as string, row);
      });
      return { rows, state };
    } catch (error) {
      // The commits that follow are of another schema.
      if (isPlasmaError(error, "client/outdated")) this.#loadError = error;
      throw error;
    }
  }

  /** Reads the disk in a while if a commit is missing that does not come, or if the disk could not be read. */
  #watchGap(): void {
    if (!this.#feed.hasGap && !this.#mustReload) return this.#clearGapTimer();
    if (this.#gapTimer !== null || this.#closed || this.#loadError !== null) return;
    const waitMs = this.#mustReload ? limits.diskRetryMs : limits.commitGapWaitMs;
    this.#gapTimer = this.#deps.env.setTimeout(() => {
      this.#gapTimer = null;
      this.#task(async () => {
        if ((this.#feed.hasGap || this.#mustReload) && !this.#closed) await this.#reload();
      });
    }, waitMs);
  }

  #clearGapTimer(): void {
    if (this.#gapTimer !== null) this.#deps.env.clearTimeout(this.#gapTimer);
    this.#gapTimer = null;
  }

  /** A task that nobody waits for: its failure is told as an event. */
  #task(task: () => Promise<void>): void {
    this.#queue.run(task).catch((error: unknown) => this.#deps.events.storageFailed(error));
  }
}
