// Owns: the public surface of `plasma-sync/server/node`.

export { fromDirectory } from "./from-directory.ts";
export { serve, type PlasmaServer, type ServeOptions } from "./serve.ts";
export { createNodeHub, type NodeHub, type NodeHubOptions } from "./node-hub.ts";
