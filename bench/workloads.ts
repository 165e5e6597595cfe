// Owns: the list of workloads and their sizes. What each does stands in page/<id>*.ts or in its script, and in README.md.

/** Runs in Chromium, Plasma beside Replicache. */
export interface PageWorkload {
  readonly id: string;
  readonly runs: "page";
  readonly peers: readonly string[];
  readonly variants: readonly PageVariant[];
}

export interface PageVariant {
  readonly name: string;
  readonly params: { readonly [key: string]: number | string };
  readonly goal: string;
}

/** A script that runs in Node. */
export interface NodeWorkload {
  readonly id: string;
  readonly runs: "node";
  readonly peers: readonly string[];
  readonly script: string;
}

export type Workload = PageWorkload | NodeWorkload;

const rebase = (rows: number, touches: "apart" | "all", name: string): PageVariant => ({
  name: `${rows / 1000}k rows, pull touches ${name}`,
  params: { rows, pending: 1000, touches, samples: 7 },
  goal: "≤ 0.30",
});

export const workloads: readonly Workload[] = [
  {
    id: "rebase",
    runs: "page",
    peers: ["replicache"],
    variants: [
      rebase(1_000, "apart", "one other row"),
      rebase(100_000, "apart", "one other row"),
      rebase(1_000, "all", "every pending row"),
      rebase(100_000, "all", "every pending row"),
    ],
  },
  {
    id: "scan",
    runs: "page",
    peers: ["replicache"],
    variants: [{ name: "10k rows of 1 KB", params: { rows: 10_000, warmups: 5, samples: 20 }, goal: "≤ 0.3" }],
  },
  {
    id: "ivm-ladder",
    runs: "node",
    peers: ["@tanstack/db", "@rocicorp/zero", "@rindle/wasm"],
    script: "ladder/run.ts",
  },
  { id: "sorted-100k", runs: "node", peers: ["@tanstack/db", "@rocicorp/zero"], script: "items/run-sorted.ts" },
  { id: "memory", runs: "node", peers: ["@tanstack/db", "@rocicorp/zero"], script: "items/run-memory.ts" },
  { id: "push-throughput", runs: "node", peers: [], script: "server/run-push.ts" },
  { id: "pull-fanout", runs: "node", peers: [], script: "server/run-fanout.ts" },
  { id: "propagate", runs: "node", peers: [], script: "propagate/run.ts" },
  { id: "files", runs: "node", peers: [], script: "files/run.ts" },
  { id: "upload", runs: "node", peers: [], script: "files/upload.ts" },
];
