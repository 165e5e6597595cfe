// Owns: a sync loop on virtual time, over the real HTTP transport, a server that a test scripts and a replica that notes
// what it is told.

import { PlasmaError } from "../../core/error.ts";
import type { PullResponse } from "../../core/protocol/pull.ts";
import { expect } from "vitest";
import type { MutationResult, PushRequest } from "../../core/protocol/push.ts";
import { createVirtualEnv, type VirtualEnv } from "../../core/lib/virtual-env.ts";
import type { OutboxEntry } from "../store/store.ts";
import { createHttpTransport, type HttpTransportOptions } from "../transport/http-transport.ts";
import type { SyncClientError } from "./sync-error.ts";
import { createSyncLoop, type SyncLoop, type SyncLoopStatus, type UploadRun } from "./sync-loop.ts";
import type { FileToUpload, SyncReplica } from "./sync-replica.ts";

/** A replica of numbered entries of one client, and of cookies. */
export class ScriptedReplica implements SyncReplica {
  readonly replicaID = "replica";
  /** What the loop told it, in order. */
  readonly told: string[] = [];
  durableCookie: string | null = null;
  inCatchUp = false;
  /** Thrown by the next `pulled`. */
  failure: unknown = null;
  /** Thrown by `confirmReign`. */
  deposed: unknown = null;
  /** Hashes that entries wait for. */
  files: readonly string[] = [];
  /** What `pulled` waits for before it ends. */
  disk: Promise<void> = Promise.resolve();
  #outbox: OutboxEntry[] = [];
  #made = 0;

  get outboxIDs(): number[] {
    return this.#outbox.map(({ id }) => id);
  }

  add(count = 1, schemaVersion = "1"): void {
    for (let i = 0; i < count; i += 1) {
      const id = (this.#made += 1);
      this.#outbox.push({
        order: id,
        clientID: "c1",
        id,
        name: "m",
        args: null,
        timestamp: 0,
        seed: "0".repeat(32),
        base: null,
        schemaVersion,
      });
    }
  }

  async confirmReign(): Promise<void> {
    if (this.deposed !== null) throw this.deposed;
  }

  cookie(): string | null {
    return this.durableCookie;
  }

  pullCookie(): string | null {
    return this.durableCookie;
  }

  patchableCookie(): string | null {
    return this.inCatchUp ? null : this.durableCookie;
  }

  nextPush(countMax: number): readonly OutboxEntry[] {
    return this.#outbox.slice(0, countMax);
  }

  async pushed(results: readonly MutationResult[]): Promise<void> {
    this.told.push(`pushed ${results.map(({ id }) => id).join()}`);
    this.#outbox = this.#outbox.filter(({ id }) => !results.some((result) => result.id === id));
  }

  pushFailed(entries: readonly OutboxEntry[], error: string): void {
    this.told.push(`pushFailed ${entries.length}: ${error}`);
  }

  versionRefused(entries: readonly OutboxEntry[]): boolean {
    this.told.push(`versionRefused ${entries[0]?.schemaVersion}`);
    const isOld = entries[0]?.schemaVersion !== "1";
    this.#outbox = this.#outbox.map((entry) => ({ ...entry, schemaVersion: "1" }));
    return isOld;
  }

  async pushGap(clientID: string, lastMutationID: number): Promise<void> {
    this.told.push(`pushGap ${clientID} ${lastMutationID}`);
    this.#outbox = this.#outbox.filter(({ id }) => id > lastMutationID);
  }

  filesToUpload(): readonly FileToUpload[] {
    return this.files.map((hash) => ({ hash, args: null }));
  }

  fileLetGo(): void {
    this.files = [];
  }

  fileUploaded(hash: string): void {
    this.told.push(`fileUploaded ${hash}`);
    this.files = this.files.filter((file) => file !== hash);
  }

  async fileRefused(hash: string, message: string): Promise<void> {
    this.told.push(`fileRefused ${hash}: ${message}`);
    this.files = this.files.filter((file) => file !== hash);
  }

  async pulled(page: PullResponse): Promise<void> {
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
    this.told.push(`pulled ${page.cookie}`);
    this.durableCookie = page.cookie;
    await this.disk;
  }

  abandonPull(): void {
    this.told.push("abandonPull");
  }

  async forgetCookie(): Promise<void> {
    this.told.push("forgetCookie");
    this.durableCookie = null;
  }
}

/** One request as a server sees it. */
export interface Received {
  readonly what: "push" | "pull";
  /** Milliseconds since the loop was made. */
  readonly at: number;
  readonly ids: readonly number[];
  readonly cookie: string | null;
  readonly request: Request;
}

export type Answer = Response | Promise<Response>;

export interface TestLoop {
  readonly loop: SyncLoop;
  readonly env: VirtualEnv;
  readonly replica: ScriptedReplica;
  readonly received: Received[];
  /** "push@0", "pull@0": what the server received and when, since the last call. */
  news(): string[];
  readonly errors: SyncClientError[];
  readonly statuses: SyncLoopStatus[];
  readonly stopped: unknown[];
  successes(): number;
  /** What a run of uploads does from now on. */
  upload(run: (signal: AbortSignal) => Promise<UploadRun>): void;
  /** Answers requests from now on. */
  answer(push: (received: Received) => Answer, pull?: (received: Received) => Answer): void;
}

export const applied = ({ ids }: Pick<Received, "ids">): Response =>
  Response.json({
    ok: true,
    results: ids.map((id) => ({ clientID: "c1", id, status: "applied" })),
    lastMutationIDs: {},
  });

export const page = (cookie: string, hasMore = false): Response =>
  Response.json({ cookie, patch: [], lastMutationIDs: {}, hasMore });

export const refusal = (status: number, code = "", more: object = {}, headers: HeadersInit = {}): Response =>
  Response.json({ error: `refused ${code}`, code, ...more }, { status, headers });

export const deposed = (): PlasmaError => new PlasmaError("client/deposed", {});

/** Makes one; poll 5 s, retry as by default, 60 s per request. The server applies and answers everything at first. */
export function createTestLoop(given: Partial<HttpTransportOptions> = {}): TestLoop {
  const env = createVirtualEnv();
  const start = env.now();
  const replica = new ScriptedReplica();
  const received: Received[] = [];
  const errors: SyncClientError[] = [];
  const statuses: SyncLoopStatus[] = [];
  const stopped: unknown[] = [];
  let successes = 0;
  let told = 0;
  let onUpload: (signal: AbortSignal) => Promise<UploadRun> = async () => expect.fail("no file waits");
  let onPush: (received: Received) => Answer = applied;
  let onPull: (received: Received) => Answer = () => page("k1");
  const fetcher = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const what = url.pathname === "/sync/push" ? "push" : "pull";
    const body = what === "push" ? ((await request.clone().json()) as PushRequest) : null;
    const ids = body?.mutations.map(({ id }) => id) ?? [];
    const one: Received = { what, at: env.now() - start, ids, cookie: url.searchParams.get("cookie"), request };
    received.push(one);
    return what === "push" ? onPush(one) : onPull(one);
  };
  const transport = createHttpTransport({
    endpoint: "/sync",
    schemaVersion: "1",
    clientGroupID: "g1",
    env,
    clientID: () => "c1",
    replicaID: () => "replica",
    pullPageSize: undefined,
    fetcher,
    authHeaders: undefined,
    ...given,
  });
  const loop = createSyncLoop({
    replica,
    transport,
    upload: (signal) => onUpload(signal),
    env,
    pollIntervalMs: 5000,
    retry: { maxAttempts: 5, initialDelayMs: 500, maxDelayMs: 30_000 },
    online: true,
    onError: (error) => void errors.push(error),
    onStatus: (status) => void statuses.push(status),
    onSuccess: () => void (successes += 1),
    onStopped: (error) => void stopped.push(error),
  });
  return {
    loop,
    env,
    replica,
    received,
    news: () => {
      const fresh = received.slice(told).map(({ what, at }) => `${what}@${at}`);
      told = received.length;
      return fresh;
    },
    errors,
    statuses,
    stopped,
    successes: () => successes,
    upload: (run) => (onUpload = run),
    answer: (push, pull) => {
      onPush = push;
      onPull = pull ?? onPull;
    },
  };
}
