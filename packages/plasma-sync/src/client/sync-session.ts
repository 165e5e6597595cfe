// Owns: SyncSession: which tab of the replica syncs, and the loop of the tab that does.
//
//   stopped ──start──► waiting for the lock ──held──► leading (epoch taken, loop runs) ──deposed or failed──► waiting again
//
// Invariants:
//   1. A loop exists only while this tab holds the lock, and writes only under the epoch that it took then.
//   2. A tab that does not lead asks the leader; it never sends a request itself.

import { isPlasmaError } from "../core/error.ts";
import type { Env } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
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
}

export interface SyncSessionDeps {
  readonly links: TabLinks;
  readonly lockName: string;
  readonly env: Env;
  readonly post: (message: TabMessage) => void;
  /** Takes the epoch and makes the loop. `onEnd` is called when the loop can go on no more. */
  readonly lead: (onEnd: (error: unknown) => void) => Promise<LeaderLoop>;
  readonly onRole: (leading: boolean) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds before a tab that failed to lead tries again. */
  readonly retryMs: number;
}

export class SyncSession {
  readonly #deps: SyncSessionDeps;
  #started = false;
  /** Counts starts and stops, so that what an earlier one began can tell that it is over. */
  #turn = 0;
  #release: (() => void) | null = null;
  #loop: LeaderLoop | null = null;
  /** Requests of this tab that wait for a leader. */
  readonly #requests = new Map<string, { readonly what: What; readonly done: () => void }>();

  constructor(deps: SyncSessionDeps) {
    this.#deps = deps;
  }

  get leading(): boolean {
    return this.#loop !== null;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#candidate();
  }

  stop(): void {
    this.#started = false;
    this.#end();
    for (const { done } of this.#requests.values()) done();
  }

  /** The outbox has grown. `hasFiles`: mutations in it have files. */
  localWork(hasFiles: boolean): void {
    this.#loop?.localWork();
    if (hasFiles) this.#loop?.filesWanted();
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
    });
  }

  /** Takes `request` and `done` messages of other tabs. */
  receive(message: TabMessage): void {
    if (message.type === "done") this.#requests.get(message.nonce)?.done();
    if (message.type !== "request" || this.#loop === null) return;
    void runOnce(this.#loop, message.what).finally(() => this.#deps.post({ type: "done", nonce: message.nonce }));
  }

  #candidate(): void {
    const turn = ++this.#turn;
    this.#release = this.#deps.links.requestLock(this.#deps.lockName, () => void this.#lead(turn));
  }

  async #lead(turn: number): Promise<void> {
    try {
      const loop = await this.#deps.lead((error) => this.#fail(turn, error));
      // Stopped or failed while the epoch was being taken: the lock is gone, and so is the right to sync.
      if (turn !== this.#turn) return;
      this.#loop = loop;
      this.#deps.onRole(true);
      loop.start();
      // Requests of this tab that no leader may have heard.
      for (const { what, done } of this.#requests.values()) void runOnce(loop, what).finally(done);
    } catch (error) {
      this.#fail(turn, error);
    }
  }

  #fail(turn: number, error: unknown): void {
    if (turn !== this.#turn) return;
    this.#end();
    if (!isPlasmaError(error, "client/deposed")) this.#deps.onError(error);
    const retryTurn = this.#turn;
    this.#deps.env.setTimeout(() => {
      if (this.#started && this.#turn === retryTurn) this.#candidate();
    }, this.#deps.retryMs);
  }

  #end(): void {
    this.#turn += 1;
    const loop = this.#loop;
    this.#loop = null;
    loop?.stop();
    if (loop !== null) this.#deps.onRole(false);
    this.#release?.();
    this.#release = null;
  }
}

export type What = "push" | "pull" | "upload";

const runOnce = (loop: LeaderLoop, what: What): Promise<void> => loop[`${what}Once`]();
