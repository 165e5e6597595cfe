// Owns: FirstLoad: opens the local database, and tries again when it cannot be opened now.
//
//   loading ──opened──► loaded
//      └─failed──► waiting (whoever asks is refused at once, with the reason) ──after a while──► loading
//
// Why it is not given up: a tab with an older version of the app that is closed at last, a disk that has room again, storage
// that the person has allowed. A page that is open for weeks must not need to be told to reload.

import { messageOf } from "../core/error.ts";
import type { Env } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import { backoffMs } from "./transport/backoff.ts";

export interface FirstLoadDeps {
  readonly env: Env;
  /** May be called again after it has failed. */
  readonly load: () => Promise<void>;
  readonly onLoaded: () => void;
  /** Once, as long as it fails for the same reason. */
  readonly onFailed: (error: unknown) => void;
}

export class FirstLoad {
  readonly #deps: FirstLoadDeps;
  #failures = 0;
  #told: string | null = null;
  #isOver = false;
  #attempt: Promise<void>;

  constructor(deps: FirstLoadDeps) {
    this.#deps = deps;
    this.#attempt = this.#try();
  }

  /** Resolves when the view is there; rejects when the database could not be opened, the last time that it was tried. */
  get whenLoaded(): Promise<void> {
    return this.#attempt;
  }

  /** Nothing more is tried. */
  close(): void {
    this.#isOver = true;
  }

  #try(): Promise<void> {
    const attempt = this.#deps.load();
    attempt.then(
      () => this.#deps.onLoaded(),
      (error: unknown) => this.#failed(error),
    );
    return attempt;
  }

  #failed(error: unknown): void {
    const { env, onFailed } = this.#deps;
    const message = messageOf(error);
    if (message !== this.#told) onFailed(error);
    this.#told = message;
    this.#failures += 1;
    env.setTimeout(
      () => {
        if (!this.#isOver) this.#attempt = this.#try();
      },
      backoffMs(this.#failures, limits.openRetry, env.random()),
    );
  }
}
