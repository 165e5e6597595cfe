// Owns: the public surface of `plasma-sync/server`.

export type { BlobContent, BlobPage, BlobRange, BlobStore } from "./blob/blob-store.ts";
export { collectBlobs, type BlobCollection, type CollectBlobsOptions } from "./blob/collect-blobs.ts";
export { fromR2, type R2BucketLike } from "./blob/from-r2.ts";
export { memoryBlobs } from "./blob/memory-blobs.ts";
export { compactChangeLog, type Compaction, type CompactionOptions } from "./change-log/compact-change-log.ts";
export { snapshotAsOf, type Snapshot, type SnapshotOptions } from "./change-log/snapshot-as-of.ts";
export { fromBetterSqlite3, type BetterSqlite3Database } from "./database/from-better-sqlite3.ts";
export { fromD1, type D1Like } from "./database/from-d1.ts";
export { fromDurableObject, type DurableObjectStorageLike } from "./database/from-durable-object.ts";
export { fromNodeSqlite, type NodeSqliteDatabase } from "./database/from-node-sqlite.ts";
export type {
  SqlConnection,
  SqlErrorClass,
  SqlExecutor,
  SqlParam,
  SqlRow,
  SqlStatement,
} from "./database/sql-executor.ts";
export { createSyncHandler, type SyncHandler } from "./handler.ts";
export type {
  Authorized,
  AuthResult,
  MutationEvent,
  PokingPush,
  PushOrigin,
  RateLimitResult,
  SyncHandlerOptions,
} from "./handler-options.ts";
export { ensureSchema } from "./migration/ensure-schema.ts";
export {
  isMigrationRefused,
  runMigrations,
  type MigrationRefused,
  type MigrationReport,
} from "./migration/run-migrations.ts";
export type { Coordinator, CoordinatorNamespace, PokeTarget } from "./realtime/coordinator.ts";
export { pokeCoordinator, type PokeOptions } from "./realtime/namespace-coordinator.ts";
export { createServerDb } from "./server-db.ts";
export { serverLiveSelect, type ServerLiveSelectOptions } from "./server-live-select.ts";
export type { CorsOptions } from "./sync/cors.ts";
export type { PlasmaMetric, SyncServerError, SyncServerErrorKind } from "./sync/sync-server-error.ts";
