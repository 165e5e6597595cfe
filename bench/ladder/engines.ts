// Owns: which engines stand in the ladder.

import type { Engine } from "./engine.ts";
import { floor } from "./floor.ts";
import { plasma } from "./plasma.ts";
import { rindle } from "./rindle.ts";
import { tanstack } from "./tanstack.ts";
import { zql } from "./zql.ts";

const peerEngines: readonly Engine[] = [tanstack, zql, rindle];

/** Names of those that Plasma is compared with. */
export const peers = peerEngines.map(({ name }) => name);
export const engines: readonly Engine[] = [...peerEngines, floor, plasma];
