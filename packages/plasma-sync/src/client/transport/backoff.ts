// Owns: how long a failed attempt waits before the next one.

export interface BackoffOptions {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
}

/** Doubles with every failure, up to the longest wait; between half and all of that, so that clients spread out. */
export function backoffMs(failures: number, { initialDelayMs, maxDelayMs }: BackoffOptions, random: number): number {
  const full = Math.min(maxDelayMs, initialDelayMs * 2 ** (failures - 1));
  return full * (0.5 + random / 2);
}
