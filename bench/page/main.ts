// Owns: the page's entry: finds the workload and runs it.

import * as plasma from "./rebase-plasma.ts";
import * as replicache from "./rebase-replicache.ts";
import type { RunRequest } from "./run-request.ts";

const runs = { rebase: { plasma: plasma.run, peer: replicache.run } };

window.runWorkload = (request: RunRequest) => {
  const workload = runs[request.workload as keyof typeof runs];
  return workload[request.side](request.params as never);
};
