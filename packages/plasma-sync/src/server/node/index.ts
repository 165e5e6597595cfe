// Owns: the public surface of `plasma-sync/server/node`.

export { serve, type PlasmaServer, type ServeOptions } from "./serve.ts";
