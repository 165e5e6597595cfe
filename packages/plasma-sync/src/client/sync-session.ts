// Owns: SyncSession: which tab of the replica syncs, and the loop of the tab that does. tabs/hand-over.ts decides when that
// changes while the tabs live.
//
//   out ──start──► waiting for the lock ──held──► leading (epoch taken, loop runs) ──lock lost──► waiting again
//    ▲                                               │ failed, deposed: after a while ──────────► waiting again
//    └───────────────────stop────────────────────────┘
//
// Invariants:
//   1. A loop exists only while this tab holds the lock, and writes only under the epoch that it took then. A tab that was
//      stopped without a word finds out by that epoch.
//   2. A tab that does not lead asks the leader; it never sends a request itself.

import { isPlasmaError } from "../core/error.ts";
import type { Env } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import type { Candidate, HandOver, WatchPage } from "./tabs/hand-over.ts";
import type { TabLinks, TabMessage } from "./tabs/tab-links.ts";

/** The loop of a leading tab. */
export interface LeaderLoop {
  start(): void;
  stop(): void;
  pushOnce(): Promise<void>;
  pullOnce(): Promise<void>;
  uploadOnce(): Promise<void>;
  localWork(): void;
  filesWanted(): void;
  /** Whether no push or upload is under way: stopped now, it leaves nothing that another would do twice. */
  isQuiet(): boolean;
}

export interface SyncSessionDeps {
  readonly links: TabLinks;
  readonly lockName: string;
  readonly env: Env;
  readonly post: (message: TabMessage) => void;
  /** Whether something of the replica waits for a leader. */
  readonly hasWork: () => boolean;
  /** Takes the epoch and makes the loop. `onEnd` is called when the loop can go on no more. */
  /** Makes the loop of a leader. Rejects without taking the epoch once `isWanted` says no: the lock is gone, or the page stops. */
  readonly lead: (onEnd: (error: unknown) => void, isWanted: () => boolean) => Promise<LeaderLoop>;
  readonly onRole: (leading: boolean) => void;
  readonly onError: (error: unknown) => void;
  /** The page goes on after it was frozen, which has stopped this session. */
  readonly onResumed: () => void;
  readonly watchPage?: WatchPage | undefined;
  /** Milliseconds before a tab that failed to lead tries again. */
  readonly retryMs: number;
}

export class SyncSession implements Candidate {
  readonly #deps: SyncSessionDeps;
  #started = false;
  #place: Candidate["place"] = "out";
  /** Counts starts and stops, so that what an earlier one began can tell that it is over. */
  #turn = 0;
  #release: (() => void) | null = null;
  #loop: LeaderLoop | null = null;
  #tabs: HandOver | null = null;
  /** Requests of this tab that wait for a leader. */
  readonly #requests = new Map<string, { readonly what: What; readonly done: () => void }>();

  constructor(deps: SyncSessionDeps) {
    this.#deps = deps;
  }

  get leading(): boolean {
    return this.#loop !== null;
  }

  get place(): Candidate["place"] {
    return this.#place;
  }

  get isAsking(): boolean {
    return this.#requests.size > 0;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#stand();
    this.#loadHandOver().catch(() => undefined);
  }

  /** Returns whether it was started. */
  stop(): boolean {
    const wasStarted = this.#started;
    this.#started = false;
    this.#end();
    for (const { done } of this.#requests.values()) done();
    return wasStarted;
  }

  /** Hears nothing more of its page. */
  close(): void {
    this.stop();
    this.#tabs?.close();
  }

  rest(): (() => void) | null {
    const turn = this.#turn;
    if (this.#loop?.isQuiet() !== true) return null;
    this.#endLoop();
    return () => this.#standAgain(turn);
  }

  takeLock(): void {
    this.#end();
    this.#stand(true);
  }

  repeatRequests(): void {
    for (const [nonce, { what }] of this.#requests) this.#deps.post({ type: "request", nonce, what });
  }

  /** The outbox has grown. `hasFiles`: mutations in it have files. */
  localWork(hasFiles: boolean): void {
    this.#loop?.localWork();
    if (hasFiles) this.#loop?.filesWanted();
    this.#tabs?.look();
  }

  /** One push or pull, here or by the leader; resolves when it has ended, at the latest after a bounded time. */
  async once(what: What): Promise<void> {
    if (!this.#started) return;
    if (this.#loop !== null) return runOnce(this.#loop, what);
    const nonce = this.#deps.env.randomUUID();
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#requests.delete(nonce);
        this.#deps.env.clearTimeout(timer);
        resolve();
      };
      const timer = this.#deps.env.setTimeout(done, limits.leaderAnswerMs);
      this.#requests.set(nonce, { what, done });
      this.#deps.post({ type: "request", nonce, what });
      this.#tabs?.look();
    });
  }

  /** Takes what other tabs say of leading. */
  receive(message: TabMessage): void {
    this.#tabs?.receive(message);
    if (message.type === "done") this.#requests.get(message.nonce)?.done();
    if (message.type !== "request" || this.#loop === null) return;
    void runOnce(this.#loop, message.what).finally(() => this.#deps.post({ type: "done", nonce: message.nonce }));
  }

  /** Loaded behind the start; when it cannot be, this tab waits for the lock and no more. */
  async #loadHandOver(): Promise<void> {
    if (this.#deps.links.kind === "single") return;
    const { HandOver } = await import("./tabs/hand-over.ts");
    if (this.#started) this.#tabs ??= new HandOver({ ...this.#deps, candidate: this });
  }

  #stand(steal = false): void {
    if (!this.#started) return;
    const turn = ++this.#turn;
    this.#place = "waiting";
    const onHeld = () => void this.#lead(turn);
    const onLost = () => this.#standAgain(turn);
    this.#release = this.#deps.links.requestLock(this.#deps.lockName, onHeld, { steal, onLost });
    this.#tabs?.look();
  }

  async #lead(turn: number): Promise<void> {
    if (turn !== this.#turn) return;
    this.#place = "holding";
    try {
      const isWanted = () => turn === this.#turn;
      const loop = await this.#deps.lead((error) => this.#fail(turn, error), isWanted);
      // Stopped or failed while the epoch was being taken: the lock is gone, and so is the right to sync.
      if (!isWanted()) return;
      this.#loop = loop;
      this.#deps.onRole(true);
      loop.start();
      // Requests of this tab that no leader may have heard.
      for (const { what, done } of this.#requests.values()) void runOnce(loop, what).finally(done);
    } catch (error) {
      this.#fail(turn, error);
    }
  }

  /** Back to the end of the line. */
  #standAgain(turn: number): void {
    if (turn !== this.#turn) return;
    this.#end();
    this.#stand();
  }

  #fail(turn: number, error: unknown): void {
    if (turn !== this.#turn) return;
    this.#end();
    if (!isPlasmaError(error, "client/deposed")) this.#deps.onError(error);
    const retryTurn = this.#turn;
    this.#deps.env.setTimeout(() => {
      if (this.#turn === retryTurn) this.#stand();
    }, this.#deps.retryMs);
  }

  #end(): void {
    this.#turn += 1;
    this.#place = "out";
    this.#endLoop();
    this.#release?.();
    this.#release = null;
  }

  #endLoop(): void {
    const loop = this.#loop;
    this.#loop = null;
    loop?.stop();
    if (loop !== null) this.#deps.onRole(false);
  }
}

export type What = "push" | "pull" | "upload";

const runOnce = (loop: LeaderLoop, what: What): Promise<void> => loop[`${what}Once`]();
