// Owns: ClientCore: the parts of one client in one tab (store, replica, links to other tabs, syncing) and the wires between
// them: what each part says and who must hear it.
// Invariants:
//   1. A commit of this tab reaches other tabs only after the store has called it durable.
//   2. A refused mutation is told once: by the tab that made it, or by the leader when that tab is gone.
//   3. Once a tab of another schema version has opened the database, this one only shows what it has: it neither writes,
//      syncs nor follows, and says so.
//   4. An offline client never stands for leader, so no loop, request or subscription of it exists; it follows other tabs.

import { isPlasmaError, messageOf, PlasmaError } from "../core/error.ts";
import { decodeTagged } from "../core/protocol/tagged-json.ts";
import type { Rejection } from "../core/protocol/pull.ts";
import { createClientFilesOpener, type ClientFilesOpener } from "./blobs/open-client-files.ts";
import type { ClientOptions, ResolvedOptions } from "./client-options.ts";
import { FirstLoad } from "./first-load.ts";
import { createQueryRuntime } from "./ivm/create-query-runtime.ts";
import type { QueryRuntime } from "./ivm/query-runtime.ts";
import { MutationRejectedError } from "./mutation-rejected-error.ts";
import type { PendingMutation, ServerOutcome } from "./replica/pending-mutation.ts";
import { Replica } from "./replica/replica.ts";
import type { AppliedMutation, ReplicaEvents } from "./replica/replica-deps.ts";
import { ReplicaSync } from "./replica/replica-sync.ts";
import { describePending } from "./describe-pending.ts";
import { createRunPending } from "./run-pending.ts";
import type { OpenPlatform } from "./platform.ts";
import { databaseName } from "./store/layout.ts";
import type { Store, StoreCommit } from "./store/store.ts";
import { callApp } from "./sync/app-callback.ts";
import { createClientStatus } from "./sync/client-status.ts";
import { endsWithAnswer, type SchemaMismatch, type SyncClientError } from "./sync/sync-error.ts";
import { createSyncLoop, type SyncLoop } from "./sync/sync-loop.ts";
import { SyncSession, type What } from "./sync-session.ts";
import type { ClientIdentity } from "./tabs/client-identity.ts";
import { newsOf } from "./tabs/commit-news.ts";
import type { WatchPage } from "./tabs/hand-over.ts";
import type { SharedStatus, TabChannel, TabLinks, TabMessage } from "./tabs/tab-links.ts";
import type { HttpOptions } from "./transport/http-exchange.ts";
import { createHttpTransport } from "./transport/http-transport.ts";
import { noNetwork, type NetworkState } from "./transport/network-state.ts";

export class ClientCore {
  readonly runtime: QueryRuntime;
  readonly replica: Replica;
  readonly session: SyncSession;
  readonly status = createClientStatus();
  readonly files: ClientFilesOpener;
  /** `.server` promises that have not ended. */
  readonly outcomes = new Set<ServerOutcome>();
  readonly #options: ClientOptions;
  readonly #resolved: ResolvedOptions;
  readonly #store: Store;
  readonly #links: TabLinks;
  readonly #channel: TabChannel;
  readonly #identity: ClientIdentity;
  readonly #network: NetworkState;
  readonly #database: string;
  readonly #firstLoad: FirstLoad;
  #loop: SyncLoop | null = null;
  #releaseClientLock: () => void = () => undefined;
  #holdsClientLock = false;
  /** Why this tab can save nothing more. */
  #outdated: PlasmaError<"client/outdated"> | null = null;
  /** Versions of servers about which the app was asked. */
  readonly #mismatches = new Set<string>();
  /** Those that this tab has had. */
  readonly #clientIDs = new Set<string>();
  /** A tab has said that it empties the replica. */
  #isResetTold = false;
  /** No more calls. */
  #closing = false;
  /** Nothing more to tell other tabs. */
  #closed = false;
  /** Whether another tab has said something. */
  #hasHeard = false;

  constructor(options: ClientOptions, resolved: ResolvedOptions, openPlatform: OpenPlatform) {
    const { env } = resolved;
    const { schema, schemaVersion, durability = "relaxed" } = options;
    this.#options = options;
    this.#resolved = resolved;
    this.#database = databaseName(options.dbName, options.clientGroupID);
    const platform = openPlatform({ database: this.#database, schema, schemaVersion, env, durability });
    this.#links = platform.links;
    this.#identity = platform.identity;
    this.#store = platform.store;
    this.runtime = createQueryRuntime({ schema });
    this.replica = new Replica({
      schema,
      store: this.#store,
      runtime: this.runtime,
      env,
      getContext: options.getContext,
      isAlone: resolved.offline,
      run: createRunPending({ schema, mutators: options.mutators, env }),
      clientID: this.#identity.clientID,
      reusedClientID: this.#identity.reused,
      ownsClientID: () => this.#holdsClientLock,
      events: this.#replicaEvents(),
    });
    this.files = createClientFilesOpener({
      schema,
      env,
      onProgress: options.onFileProgress,
      cacheBytes: resolved.offline ? Infinity : resolved.fileCacheBytes,
      openBlobs: platform.openBlobs,
      whenCurrent: async () => {
        await this.loaded;
        await this.replica.whenWarm();
        this.assertOpen();
      },
      http: resolved.offline ? null : this.#http(),
      post: (news) => this.#post({ type: "upload", news }),
      report: (error) => this.#report(error),
      replica: this.replica,
      runtime: this.runtime,
    });
    this.#channel = this.#links.openChannel(this.#database, (message) => this.#receive(message));
    this.#network = resolved.offline ? noNetwork : platform.watchNetwork((online) => this.#onNetwork(online));
    this.status.update({ online: !resolved.offline });
    this.session = this.#createSession(platform.watchPage);
    this.#holdClientLock(this.#identity.clientID);
    this.#firstLoad = new FirstLoad({
      env,
      load: () => this.replica.load(),
      onLoaded: () => {
        if (this.status.get().lastError?.kind === "storage") this.status.update({ lastError: null });
        this.start();
      },
      onFailed: (error) => this.#storageFailed(error),
    });
    this.#updateStatus();
  }

  /** Resolves when queries and mutations can run; rejects while the local database cannot be opened. */
  get loaded(): Promise<void> {
    return this.#firstLoad.whenLoaded;
  }

  assertOpen(): void {
    if (this.#closing) throw new PlasmaError("client/closed", {});
    if (this.#outdated !== null) throw this.#outdated;
  }

  start(): void {
    if (this.#closing || this.#outdated !== null) return;
    if (!this.#resolved.offline) this.session.start();
    this.#post({ type: "hello", schemaVersion: this.#options.schemaVersion });
  }

  async once(what: What): Promise<void> {
    this.assertOpen();
    if (this.#resolved.offline) return;
    await this.loaded;
    await this.session.once(what);
  }

  /** Empties the replica, here and in every other tab. `onPending` is told what is lost. */
  async reset(onPending?: (pending: readonly PendingMutation[]) => void): Promise<void> {
    this.assertOpen();
    if (this.#resolved.offline) throw new PlasmaError("client/offline", { what: "resetLocalState()" });
    await this.loaded;
    this.session.stop();
    this.#isResetTold = true;
    this.#post({ type: "reset", isDone: false });
    try {
      await this.replica.reset(onPending);
    } finally {
      // Also when it failed: the disk may be empty, and this client goes on with what it has.
      this.#post({ type: "reset", isDone: true });
      this.start();
    }
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#firstLoad.close();
    this.files.close();
    this.session.close();
    this.#network.close();
    await this.replica.settled();
    this.#closed = true;
    this.replica.close();
    this.#store.close();
    this.#channel.close();
    this.#releaseClientLock();
    this.#identity.release();
    this.#endOutcomes(new PlasmaError("client/closed", {}));
  }

  #createSession(watchPage: WatchPage | undefined): SyncSession {
    return new SyncSession({
      links: this.#links,
      lockName: `${this.#database}:leader`,
      env: this.#resolved.env,
      post: (message) => this.#post(message),
      hasWork: () => this.replica.pending.length > 0,
      watchPage,
      // What other tabs said while this page was stopped may be lost.
      onResumed: () => this.start(),
      lead: (onEnd, isWanted) => this.#lead(onEnd, isWanted),
      onRole: () => this.#updateStatus(),
      onError: (error) => this.#storageFailed(error),
      // Who has a socket may poll seldom: without a leader there is none.
      retryMs: Math.min(this.#resolved.pollIntervalMs, this.#resolved.retry.maxDelayMs),
    });
  }

  async #lead(onEnd: (error: unknown) => void, isWanted: () => boolean): Promise<SyncLoop> {
    const { env, pollIntervalMs, retry } = this.#resolved;
    const { schema, schemaVersion, pullPageSize } = this.#options;
    await this.replica.refresh();
    if (!isWanted()) throw new PlasmaError("client/deposed", {}); // It has slept: another may lead by now.
    const { replicaID } = this.replica;
    const { epoch, seq } = await this.#store.takeEpoch(replicaID).catch(async (error: unknown) => {
      // Another tab has reset the replica, and died over telling.
      if (isPlasmaError(error, "client/deposed")) await this.replica.reload();
      throw error;
    });
    // A patch of what this tab knows, on rows of a commit that it has not heard of, would leave both.
    await this.replica.refresh(seq);
    const committed = (commit: StoreCommit) => this.#committed(commit);
    const applied = (ids: readonly AppliedMutation[]) => {
      this.replica.applied(ids);
      this.#post({ type: "applied", ids });
    };
    const replica = new ReplicaSync({
      schema,
      schemaVersion,
      replica: this.replica,
      replicaID,
      store: this.#store,
      env,
      epoch,
      committed,
      applied,
    });
    const transport = createHttpTransport({
      ...this.#http(),
      schemaVersion,
      replicaID: () => this.replica.replicaID,
      pullPageSize,
    });
    const loop = createSyncLoop({
      replica,
      transport,
      upload: async (signal) => {
        const { transfers } = await this.files.open();
        return transfers.upload(replica, { signal, onReleased: () => loop.localWork() });
      },
      env,
      pollIntervalMs,
      retry,
      online: this.#network.online(),
      onError: (error) => this.#report(error),
      onSuccess: () => this.#answered(),
      onStatus: (shared) => this.#sharedStatus(shared),
      onStopped: onEnd,
    });
    return this.#joined(loop);
  }

  #http(): HttpOptions {
    const { env, endpoint } = this.#resolved;
    const { clientGroupID, fetcher, authHeaders } = this.#options;
    return { endpoint, clientGroupID, env, clientID: () => this.replica.clientID, fetcher, authHeaders };
  }

  #onNetwork(online: boolean): void {
    this.#loop?.setOnline(online);
    if (online) this.files.peek()?.transfers.retry();
  }

  #replicaEvents(): ReplicaEvents {
    return {
      committed: (commit) => this.#tell(commit),
      appended: () => this.session.localWork(this.replica.hasFiles),
      changed: () => this.#updateStatus(),
      clientIDReplaced: (clientID) => {
        this.#identity.replace(clientID);
        this.#holdClientLock(clientID);
      },
      replayFailed: ({ entry: { clientID, id, name } }, error) =>
        this.#report({ kind: "rebase-replay", clientID, id, name, message: messageOf(error), error }),
      rejected: (mutation, rejection) => void this.#rejected(mutation, rejection),
      reset: (gone) => this.#wasReset(gone),
      storageFailed: (error) => this.#storageFailed(error),
    };
  }

  /** A reset is told by the tab that asked for it. Where none did, the browser has deleted the database. */
  #wasReset(gone: readonly PendingMutation[]): void {
    const isTold = this.#isResetTold;
    this.#isResetTold = false;
    if (isTold) return;
    this.#onReset(gone.filter(({ entry }) => this.#clientIDs.has(entry.clientID)));
    this.#storageFailed(new PlasmaError("client/evicted", { lost: gone.length }));
  }

  /** Remembers the loop while it runs, so that network changes and pokes reach it. */
  #joined(loop: SyncLoop): SyncLoop {
    const { subscribe, clientGroupID, schemaVersion } = this.#options;
    const session = {
      clientID: this.replica.clientID,
      clientGroupID,
      replicaID: this.replica.replicaID,
      schemaVersion,
      cookie: () => this.replica.cookie,
      status: this.status,
      env: this.#resolved.env,
      connected: loop.connected,
      setAuth: loop.setSocketAuth,
      report: (error: SyncClientError) => this.#report(error),
    };
    let unsubscribe: (() => void) | null = null;
    return {
      ...loop,
      start: () => {
        this.#loop = loop;
        loop.start();
        unsubscribe = subscribe?.(loop.poke, session) ?? null;
      },
      stop: () => {
        unsubscribe?.();
        this.#loop = null;
        loop.stop();
      },
    };
  }

  #post(message: TabMessage): void {
    if (!this.#closed) this.#channel.post(message);
  }

  #receive(message: TabMessage): void {
    if (this.#closed) return;
    this.#hasHeard = true;
    this.session.receive(message);
    switch (message.type) {
      case "commit":
        return this.replica.receive(message.commit);
      case "stored":
        // Of a replica that this tab has yet to open: it will read it with all else.
        return message.replicaID === this.replica.replicaID ? this.replica.heardOf(message.seq) : undefined;
      case "applied":
        // What it is about may be on its way into the view.
        return void this.replica.whenApplied(0).then(() => this.replica.applied(message.ids));
      case "status":
        // Another tab may sync: that is its state, not this one's.
        if (this.#resolved.offline) return;
        this.status.update(message.status);
        this.replica.heardOf(message.seq ?? 0);
        return this.#setMismatch(message.mismatch);
      case "hello":
        // It has taken the database over, unless this tab has done so since: the disk knows.
        if (message.schemaVersion !== this.#options.schemaVersion) return this.#reload();
        if (this.session.leading) this.#postStatus(this.replica.lastSeq);
        return;
      case "upload":
        return this.files.peek()?.transfers.receive(message.news);
      case "reset":
        this.#isResetTold = true;
        return message.isDone ? this.#reload() : undefined;
      default:
        return;
    }
  }

  #tell(commit: StoreCommit): void {
    this.#post(newsOf(commit, this.#hasHeard));
  }

  #committed(commit: StoreCommit): void {
    this.#tell(commit);
    this.replica.receive(commit);
  }

  async #rejected(mutation: PendingMutation, rejection: Rejection): Promise<void> {
    const { clientID, id, name } = mutation.entry;
    const args = decodeTagged(mutation.entry.args);
    mutation.outcome?.reject(new MutationRejectedError(rejection, name, args));
    if (clientID !== this.replica.clientID) {
      // The tab that made it tells, if it is still there.
      if (!this.session.leading || (await this.#links.isLocked(this.#clientLock(clientID)))) return;
    }
    this.#report({
      kind: "mutation-rejected",
      clientID,
      id,
      name,
      args,
      code: rejection.code,
      message: rejection.message,
    });
  }

  #reload(): void {
    this.replica.reload().catch((error: unknown) => this.#storageFailed(error));
  }

  #storageFailed(error: unknown): void {
    if (isPlasmaError(error, "client/outdated")) return this.#endAsOutdated(error);
    this.#report({ kind: "storage", message: messageOf(error), error });
  }

  #endAsOutdated(error: PlasmaError<"client/outdated">): void {
    if (this.#outdated !== null || this.#closing) return;
    this.#outdated = error;
    this.session.stop();
    // What it has saved is pushed by others, and told by them.
    this.#releaseClientLock();
    this.#endOutcomes(error);
    const { data, text: message } = error;
    this.#report({ kind: "schema-mismatch", phase: "tab", expected: data.schemaVersion, message });
  }

  #endOutcomes(error: PlasmaError): void {
    for (const outcome of this.outcomes) outcome.reject(error);
  }

  #report(error: SyncClientError): void {
    const isMismatch = error.kind === "schema-mismatch" && error.phase !== "tab";
    // The server is asked again with every poll; the app is told once.
    if (isMismatch && this.#mismatch()?.expected === error.expected) return;
    this.status.update({ lastError: error });
    if (isMismatch) this.#postStatus();
    this.#options.onError?.(error);
    if (isMismatch) void this.#schemaMismatch(error.expected);
  }

  /** What the server has said of this tab's schema last. */
  #mismatch(): SchemaMismatch | null {
    const { lastError } = this.status.get();
    return lastError?.kind === "schema-mismatch" && lastError.phase !== "tab" ? lastError : null;
  }

  /** The leader has heard it: every tab may show it. */
  #setMismatch(mismatch: SchemaMismatch | null): void {
    const known = this.#mismatch();
    if (known?.expected !== mismatch?.expected) this.status.update({ lastError: mismatch });
  }

  /** The server has answered: what an earlier request met is over. */
  #answered(): void {
    const { lastError } = this.status.get();
    if (lastError !== null && endsWithAnswer(lastError)) {
      this.status.update({ lastError: null });
      this.#postStatus();
    }
  }

  /** The app says whether to wait or to begin anew with what the server has; once, however often the server says it. */
  async #schemaMismatch(expected: string): Promise<void> {
    if (this.#mismatches.has(expected)) return;
    this.#mismatches.add(expected);
    if ((await this.#options.onSchemaMismatch?.()) !== "reset" || this.#closing) return;
    const { replica } = this;
    // Nothing to wipe: after a reload of the page it would be done, and told, again and again.
    const { done, rows } = replica.firstSync;
    if (replica.pending.length === 0 && !done && rows === 0) return;
    await this.reset((pending) => this.#onReset(pending)).catch((error: unknown) => this.#storageFailed(error));
  }

  #onReset(pending: readonly PendingMutation[]): void {
    callApp(() => this.#options.onReset?.(pending.map((mutation) => describePending(mutation))));
  }

  #sharedStatus(shared: SharedStatus): void {
    this.status.update(shared);
    this.#postStatus();
  }

  #postStatus(seq?: number): void {
    const { online, syncing, auth } = this.status.get();
    this.#post({ type: "status", status: { online, syncing, auth }, mismatch: this.#mismatch(), seq });
  }

  #updateStatus(): void {
    const single = this.#links.kind === "single";
    this.status.update({
      outboxDepth: this.replica.pending.length,
      cookie: this.replica.cookie,
      firstSync: this.replica.firstSync,
      role: single ? "single" : this.session.leading ? "leader" : "follower",
    });
  }

  #clientLock(clientID: string): string {
    return `${this.#database}:client:${clientID}`;
  }

  /** Held while this tab lives, so that the leader knows whether a refusal will be told by the tab that made it. */
  #holdClientLock(clientID: string): void {
    this.#clientIDs.add(clientID);
    this.#releaseClientLock();
    this.#releaseClientLock = this.#links.requestLock(this.#clientLock(clientID), () => {
      this.#holdsClientLock = true;
    });
  }
}
