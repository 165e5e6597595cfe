// Owns: createPace: doing what is asked for often at most once in a while, the first time at once and the last time for sure.

import type { Env, TimerHandle } from "../../core/lib/env.ts";

export interface Pace {
  /** Does it now, or with others that ask in the same while. */
  ask(): void;
  /** Does at once what was asked for and has not been done. */
  end(): void;
}

export function createPace(env: Env, intervalMs: number, act: () => void): Pace {
  let timer: TimerHandle | null = null;
  let isAsked = false;
  const run = () => {
    timer = null;
    if (!isAsked) return;
    isAsked = false;
    timer = env.setTimeout(run, intervalMs);
    act();
  };
  return {
    ask: () => {
      isAsked = true;
      if (timer === null) run();
    },
    end: () => {
      if (timer !== null) env.clearTimeout(timer);
      run();
      if (timer !== null) env.clearTimeout(timer);
      timer = null;
    },
  };
}
