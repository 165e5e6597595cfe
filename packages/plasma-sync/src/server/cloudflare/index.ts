// Owns: the public surface of `plasma-sync/server/cloudflare`: the classes that only Cloudflare's runtime can load.

export { SyncCoordinator, type CoordinatorEnv } from "./sync-coordinator.ts";
export { PlasmaObject, type PlasmaObjectOptions } from "./plasma-object.ts";
