// Owns: HandOver: how leading goes from one tab to another while both live, and from a tab that is silent. Loaded behind the
// start: until then a tab just waits for the lock. Decision note 0015 tells why it is so.
// Invariants:
//   1. A leader hands over only to a visible tab, only after it was hidden for a while, and only between two pushes: nothing is
//      pushed twice for it, and who looks at another tab for a moment changes nothing.
//   2. A page that is told that it stops lets go of the lock before it does.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { LeaderWatch } from "./leader-watch.ts";
import { watchPage, type PageEvent, type PageLife } from "./page-life.ts";
import type { TabMessage } from "./tab-links.ts";

/** What handing over does to the session of its tab. */
export interface Candidate {
  /** "out": it does not stand for leader now. */
  readonly place: "out" | "waiting" | "holding";
  /** Whether it waits for an answer of the leader. */
  readonly isAsking: boolean;
  /** Lets go of everything. Returns whether there was something. */
  stop(): boolean;
  /**
   * Stops syncing and keeps the lock, if no push or upload is under way; else null. The returned function lets go of the lock,
   * unless it has been taken.
   */
  rest(): (() => void) | null;
  /** Takes the lock from whoever holds it. */
  takeLock(): void;
  /** Asks the leader again for what this tab waits for: a new one has not heard of it. */
  repeatRequests(): void;
}

export interface HandOverDeps {
  readonly env: Env;
  readonly candidate: Candidate;
  readonly hasWork: () => boolean;
  readonly post: (message: TabMessage) => void;
  /** The page goes on after it was stopped, and so was the candidate. */
  readonly onResumed: () => void;
  /** Default: the page of this tab. */
  readonly watchPage?: WatchPage | undefined;
}

export type WatchPage = (onEvent: (event: PageEvent) => void) => PageLife;

export class HandOver {
  readonly #deps: HandOverDeps;
  readonly #page: PageLife;
  readonly #watch: LeaderWatch;
  /** Names this tab to the leader. */
  readonly #tab: string;
  #hiddenSinceMs: number | null;
  /** The page is stopped, and stood for leader before. */
  #mayResume = false;

  constructor(deps: HandOverDeps) {
    const { env, candidate, hasWork, post } = deps;
    this.#deps = deps;
    this.#tab = env.randomUUID();
    this.#page = (deps.watchPage ?? watchPage)((event) => this.#onPage(event));
    const isVisible = () => this.#page.isVisible();
    this.#hiddenSinceMs = isVisible() ? null : env.now();
    this.#watch = new LeaderWatch({
      env,
      isWaiting: () => candidate.place === "waiting",
      isVisible,
      hasWork: () => candidate.isAsking || hasWork(),
      ask: () => {
        post({ type: "ping", tab: isVisible() ? this.#tab : null });
        candidate.repeatRequests();
      },
      depose: () => candidate.takeLock(),
    });
    this.look();
  }

  /** This tab stands for leader, or has work for one. */
  look(): void {
    this.#watch.look();
  }

  /** Takes what other tabs say of leading. */
  receive(message: TabMessage): void {
    const { candidate, post } = this.#deps;
    if (message.type === "ping" && candidate.place === "holding") {
      post({ type: "pong" });
      if (message.tab !== null && this.#isHiddenLong) this.#yieldTo(message.tab);
    }
    if (message.type === "pong") this.#watch.heard();
    if (message.type === "yield" && message.tab === this.#tab && this.#watch.hasJustAsked) candidate.takeLock();
  }

  close(): void {
    this.#page.close();
  }

  get #isHiddenLong(): boolean {
    const since = this.#hiddenSinceMs;
    return since !== null && this.#deps.env.now() - since >= limits.leaderHiddenMs;
  }

  #yieldTo(tab: string): void {
    const { env, candidate, post } = this.#deps;
    // The lock stays until it is taken, or somebody else in line would get it.
    const letGo = candidate.rest();
    if (letGo === null) return;
    post({ type: "yield", tab });
    env.setTimeout(letGo, limits.leaderYieldMs);
  }

  #onPage(event: PageEvent): void {
    const { env, candidate, onResumed } = this.#deps;
    switch (event) {
      case "hidden":
        this.#hiddenSinceMs = env.now();
        return;
      case "visible":
        this.#hiddenSinceMs = null;
        return this.look();
      case "frozen":
        // Told of twice where it goes into the back/forward cache.
        this.#mayResume ||= candidate.stop();
        return;
      case "resumed":
        if (this.#mayResume) onResumed();
        this.#mayResume = false;
    }
  }
}
