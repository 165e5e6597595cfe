// Owns: what page-runs.ts asks of the page (in its address) and what the page answers.

export interface RunRequest {
  readonly workload: string;
  /** "Plasma", or who stands beside it. */
  readonly side: string;
  /** "prepare" fills what later pages of the same origin find; "run" takes samples. */
  readonly step: "prepare" | "run";
  readonly params: RunParams;
}

export interface RunParams {
  readonly [key: string]: number | string;
}

export interface RunResult {
  /** By what was timed; one figure per sample, in milliseconds. */
  readonly figures: { readonly [figure: string]: readonly number[] };
  /** A digest of what was answered: all sides must give the same. */
  readonly answer: string;
}

/** A workload on one side. */
export interface Work<P> {
  readonly prepare?: (params: P) => Promise<void>;
  readonly run: (params: P) => Promise<RunResult>;
}

declare global {
  interface Window {
    /** What the page was asked for; null after "prepare". */
    finished: Promise<RunResult | null>;
  }
}
