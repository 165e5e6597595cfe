// Owns: the list of workloads, their sizes and goals. What each does stands in page/<id>*.ts or in its script, and in README.md.

import type { RunParams } from "./page/run-request.ts";
import type { Goal } from "./summary.ts";

/** Runs in Chromium, Plasma beside Replicache. */
export interface PageWorkload {
  readonly id: string;
  readonly runs: "page";
  readonly peers: readonly string[];
  /** In the order in which they take turns. */
  readonly sides: readonly string[];
  /** Pages per run and side, which all find what one before them has filled. Without it a run is one page that fills its own. */
  readonly preparedPages?: number;
  readonly variants: readonly PageVariant[];
}

export interface PageVariant {
  readonly name: string;
  readonly params: RunParams;
  /** By what was timed, "" where that is one thing. */
  readonly goals: { readonly [figure: string]: readonly Goal[] };
}

/** A script that runs in Node. */
export interface NodeWorkload {
  readonly id: string;
  readonly runs: "node";
  readonly peers: readonly string[];
  readonly script: string;
}

export type Workload = PageWorkload | NodeWorkload;

const REPLICACHE = "Replicache";
const RAW = "raw IndexedDB";
const p50 = (max: number, to = REPLICACHE): Goal => ({ to, of: "p50", max });
const p95 = (max: number, to = REPLICACHE): Goal => ({ to, of: "p95", max });

const writeSubRead = (megabytes: number): PageVariant => ({
  name: `${megabytes} MB`,
  params: { megabytes, samples: 60 },
  goals: { "64 live queries": [p50(0.2), p95(0.2)], "128 live queries": [p50(0.2), p95(0.2)] },
});

const populate = (rows: number, indexes: number): PageVariant => ({
  name: `${rows / 1000}k rows, ${indexes} ${indexes === 1 ? "index" : "indexes"}`,
  params: { rows, indexes, samples: rows > 1000 ? 1 : 2 },
  goals: { visible: [p50(0.5)], durable: [p50(0.1, RAW)] },
});

const startup = (reads: string, max: number): PageVariant => ({
  name: `100k rows, ${reads}`,
  params: { rows: 100_000, reads },
  goals: { "from client": [p50(max)], "from navigation": [p50(max)] },
});

const initialPull = (perPage: number): PageVariant => ({
  name: `100k rows, pages of ${perPage}`,
  params: { rows: 100_000, perPage },
  goals: { visible: [p50(0.7)], durable: [p50(0.7)] },
});

const rebase = (rows: number, touches: "apart" | "all", name: string): PageVariant => ({
  name: `${rows / 1000}k rows, pull touches ${name}`,
  params: { rows, pending: 1000, touches, samples: 7 },
  goals: { "": [p50(0.3)] },
});

const besideReplicache = { runs: "page", peers: ["replicache"], sides: [REPLICACHE, "Plasma"] } as const;

/** What `npm run bench -- client` runs. */
const clientWorkloads: readonly Workload[] = [
  {
    ...besideReplicache,
    id: "write-sub-read",
    variants: [1, 4, 16, 64].map(writeSubRead),
  },
  {
    ...besideReplicache,
    id: "populate",
    sides: [RAW, REPLICACHE, "Plasma"],
    variants: [1000, 10_000].flatMap((rows) => [0, 1, 2].map((indexes) => populate(rows, indexes))),
  },
  {
    ...besideReplicache,
    id: "startup",
    preparedPages: 4,
    variants: [startup("window by id", 1), startup("window by index", 1), startup("100 rows by id", 0.5)],
  },
  {
    ...besideReplicache,
    id: "initial-pull",
    sides: [REPLICACHE, "Replicache, parsing", "Plasma"],
    variants: [initialPull(1000), initialPull(5000)],
  },
  {
    ...besideReplicache,
    id: "rebase",
    variants: [
      rebase(1_000, "apart", "one other row"),
      rebase(100_000, "apart", "one other row"),
      rebase(1_000, "all", "every pending row"),
      rebase(100_000, "all", "every pending row"),
    ],
  },
  {
    ...besideReplicache,
    id: "scan",
    variants: [
      { name: "10k rows of 1 KB", params: { rows: 10_000, warmups: 5, samples: 20 }, goals: { "": [p50(0.3)] } },
    ],
  },
  { id: "bundle", runs: "node", peers: ["replicache"], script: "bundle.ts" },
];

export const workloads: readonly Workload[] = [
  ...clientWorkloads,
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

/** Workloads by a name of several. */
export const groups: { readonly [name: string]: readonly Workload[] } = { client: clientWorkloads };
