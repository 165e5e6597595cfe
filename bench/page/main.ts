// Owns: the page's entry: finds the workload and runs it.

import { run as rebasePlasma } from "./rebase-plasma.ts";
import { run as rebaseReplicache } from "./rebase-replicache.ts";
import type { RunRequest } from "./run-request.ts";
import { run as scanPlasma } from "./scan-plasma.ts";
import { run as scanReplicache } from "./scan-replicache.ts";

const runs = {
  rebase: { plasma: rebasePlasma, peer: rebaseReplicache },
  scan: { plasma: scanPlasma, peer: scanReplicache },
};

window.runWorkload = (request: RunRequest) => {
  const workload = runs[request.workload as keyof typeof runs];
  return workload[request.side](request.params as never);
};
