// Owns: how samples become figures, and the shape of a result line.

export interface Summary {
  readonly p50: number;
  readonly p95: number;
  readonly min: number;
}

/** One figure of one workload for Plasma and whoever stands beside it. */
export interface Line {
  readonly workload: string;
  readonly variant: string;
  /** "ms", "MB" or "KiB". */
  readonly unit: string;
  /** By side: "Plasma" and the peers. */
  readonly sides: { readonly [name: string]: Summary };
  /** Plasma's figure to another's, by what is compared. */
  readonly ratios: { readonly [what: string]: number };
  /** In words. */
  readonly goal: string;
  /** The same for a program, where there is one. */
  readonly goals?: readonly Goal[];
  /** Sides that are not there, and why. */
  readonly absent?: { readonly [name: string]: string };
}

/** Plasma's figure is at most so many times that of `to`. */
export interface Goal {
  readonly to: string;
  readonly of: "p50" | "p95";
  readonly max: number;
}

export function summarise(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { p50: at(0.5), p95: at(0.95), min: at(0) };
}

/** Plasma to the best of `peers`, for p50, p95 and min; nothing where either side is missing. */
export function ratiosTo(sides: Line["sides"], peers: readonly string[], what: string): { [what: string]: number } {
  const own = sides["Plasma"];
  const others = peers.map((name) => sides[name]).filter((side) => side !== undefined);
  if (own === undefined || others.length === 0) return {};
  const ratio = (key: keyof Summary) => own[key] / Math.min(...others.map((side) => side[key]));
  return { [`p50 ${what}`]: ratio("p50"), [`p95 ${what}`]: ratio("p95"), [`min ${what}`]: ratio("min") };
}

/** What a goal asks for, and what the line has; undefined where a side is missing. */
export function ratioOf({ sides }: Line, { to, of }: Goal): number | undefined {
  const [own, other] = [sides["Plasma"], sides[to]];
  return own === undefined || other === undefined ? undefined : own[of] / other[of];
}

export const goalText = ({ to, of, max }: Goal): string => `${of} ≤ ${max}× ${to}`;
