// Owns: what run.ts asks of the page and what the page answers.

export interface RunRequest {
  readonly workload: string;
  readonly side: "plasma" | "peer";
  readonly params: { readonly [key: string]: number | string };
}

export interface RunResult {
  /** One figure per sample, in milliseconds. */
  readonly ms: readonly number[];
  /** A digest of what was answered: both sides must give the same. */
  readonly answer: string;
}

declare global {
  interface Window {
    runWorkload(request: RunRequest): Promise<RunResult>;
  }
}
