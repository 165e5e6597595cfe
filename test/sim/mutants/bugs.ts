// Owns: the list of bugs that the simulator must find. The ten of the issue come first.

import { clientBugs } from "./client-bugs.ts";
import { coldBugs } from "./cold-bugs.ts";
import { laterBugs } from "./later-bugs.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { pullBugs } from "./pull-bugs.ts";
import { pushBugs } from "./push-bugs.ts";

export const bugs: readonly PlantedBug[] = [...pushBugs, ...pullBugs, ...clientBugs, ...laterBugs, ...coldBugs];
