// Owns: the worker that hashes a large file, so that the page's thread does not. It is an entry of its own: nothing imports it.
// Protocol: it says "ready"; each piece (bytes) is answered by "next"; "digest" is answered by the hash in hex.

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../core/lib/hex.ts";

export type ToHashWorker = Uint8Array | "digest";
/** "ready", "next", or the hash. */
export type FromHashWorker = string;

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ToHashWorker>) => void) | null;
  postMessage: (message: FromHashWorker) => void;
};
const hasher = sha256.create();

scope.onmessage = ({ data }) => {
  if (data === "digest") return scope.postMessage(toHex(hasher.digest()));
  hasher.update(data);
  scope.postMessage("next");
};
scope.postMessage("ready");
