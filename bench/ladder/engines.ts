// Owns: which engines stand in the ladder.

import type { Engine } from "./engine.ts";
import { floor } from "./floor.ts";
import { plasma } from "./plasma.ts";

const peerEngines: readonly Engine[] = [];

/** Names of those that Plasma is compared with. */
export const peers = peerEngines.map(({ name }) => name);
export const engines: readonly Engine[] = [...peerEngines, floor, plasma];
