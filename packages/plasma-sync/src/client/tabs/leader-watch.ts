// Owns: LeaderWatch: how a tab that does not lead sees to it that somebody does. It asks the leader now and then; a leader that
// does not answer is deposed, and a hidden one learns that a visible tab is there.
//
//   resting ──look──► asking every leaderPingMs ──answer──► asking …      no reason any more ──► resting
//                                               ──none, leaderMissesMax times in a row──► depose
//
// Invariants:
//   1. It asks only with a reason: this tab waits for the lock, and is visible or has work for a leader.
//   2. A silence is counted in questions, not in milliseconds: each is asked when the one before has had its time. So a tab whose
//      own timers were throttled or stopped never takes its own absence for the leader's. Answers need no timer: a hidden
//      leader whose timers are throttled gives them at once.
//   3. Visible tabs depose before hidden ones.

import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";

export interface LeaderWatchDeps {
  readonly env: Env;
  /** Whether this tab stands for leader. */
  readonly isWaiting: () => boolean;
  readonly isVisible: () => boolean;
  readonly hasWork: () => boolean;
  readonly ask: () => void;
  readonly depose: () => void;
}

export class LeaderWatch {
  readonly #deps: LeaderWatchDeps;
  #timer: TimerHandle | null = null;
  #askedAtMs: number | null = null;
  /** Questions in a row without an answer. */
  #unanswered = 0;

  constructor(deps: LeaderWatchDeps) {
    this.#deps = deps;
  }

  /** There may be a reason now. */
  look(): void {
    if (this.#timer === null) this.#ask();
  }

  /** The leader is alive. */
  heard(): void {
    this.#unanswered = 0;
  }

  /** Whether this tab has asked so lately that an offer to lead still stands. */
  get hasJustAsked(): boolean {
    return this.#askedAtMs !== null && Math.abs(this.#deps.env.now() - this.#askedAtMs) < limits.leaderYieldMs;
  }

  #ask(): void {
    const { env, ask } = this.#deps;
    const next = planAsking({
      isWaiting: this.#deps.isWaiting(),
      isVisible: this.#deps.isVisible(),
      hasWork: this.#deps.hasWork(),
      unanswered: this.#unanswered,
    });
    if (next !== "ask") this.#unanswered = 0;
    if (next === "rest") return;
    if (next === "depose") return this.#deps.depose();
    this.#unanswered += 1;
    this.#askedAtMs = env.now();
    ask();
    this.#timer = env.setTimeout(() => {
      this.#timer = null;
      this.#ask();
    }, limits.leaderPingMs);
  }
}

export interface Asking {
  readonly isWaiting: boolean;
  readonly isVisible: boolean;
  readonly hasWork: boolean;
  /** Questions in a row without an answer, each of which has had its time. */
  readonly unanswered: number;
}

/** What a tab does about its leader now. */
export function planAsking({ isWaiting, isVisible, hasWork, unanswered }: Asking): "rest" | "ask" | "depose" {
  if (!isWaiting || !(isVisible || hasWork)) return "rest";
  return unanswered >= (isVisible ? limits.leaderMissesMax : limits.leaderMissesHiddenMax) ? "depose" : "ask";
}
