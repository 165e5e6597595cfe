// Owns: the page's entry: finds in its address what to run, loads that workload of that side alone, and runs it.

import type { RunRequest, Work } from "./run-request.ts";

type Load = () => Promise<Work<never>>;

const loads: { readonly [workload: string]: { readonly [side: string]: Load } } = {
  "write-sub-read": {
    Plasma: () => import("./write-sub-read-plasma.ts"),
    Replicache: () => import("./write-sub-read-replicache.ts"),
  },
  populate: {
    Plasma: () => import("./populate-plasma.ts"),
    Replicache: () => import("./populate-replicache.ts"),
    "raw IndexedDB": () => import("./populate-raw.ts"),
  },
  startup: {
    Plasma: () => import("./startup-plasma.ts"),
    Replicache: () => import("./startup-replicache.ts"),
  },
  "initial-pull": {
    Plasma: () => import("./initial-pull-plasma.ts"),
    Replicache: () => import("./initial-pull-replicache.ts"),
    "Replicache, parsing": () => import("./initial-pull-replicache.ts"),
  },
  rebase: { Plasma: () => import("./rebase-plasma.ts"), Replicache: () => import("./rebase-replicache.ts") },
  scan: { Plasma: () => import("./scan-plasma.ts"), Replicache: () => import("./scan-replicache.ts") },
};

async function perform({ workload, side, step, params }: RunRequest) {
  const load = loads[workload]?.[side];
  if (load === undefined) throw new Error(`no ${workload} of ${side}`);
  const work = await load();
  const given = { ...params, side } as never;
  if (step === "run") return work.run(given);
  await work.prepare?.(given);
  return null;
}

const asked = new URLSearchParams(location.search).get("run");
if (asked !== null) window.finished = perform(JSON.parse(asked) as RunRequest);
