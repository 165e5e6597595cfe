// Owns: the public surface of `plasma-sync/client`.

export type { FileProgress } from "./blobs/file-progress.ts";
export type { FileContent, FileState, ReadOptions, TransferProgress } from "./blobs/file-content.ts";
export { createPlasmaClient } from "./client.ts";
export { createIdbEngine, type IdbEngine } from "./idb-engine.ts";
export {
  deleteLocalData,
  exportLocalData,
  importLocalData,
  type ExportOptions,
  type ImportOptions,
  type LocalDataScope,
  type LostMutation,
} from "./local-data.ts";
export { MutationRejectedError } from "./mutation-rejected-error.ts";
export type {
  Mutate,
  MutationPromise,
  OfflineClientOptions,
  PendingMutationInfo as PendingMutation,
  PlasmaClient,
  PlasmaClientOptions,
  Poke,
  RetryOptions,
  SubscribeSession,
  WithFiles,
} from "./plasma-client.ts";
export { createPresence, type Presence, type PresenceOptions } from "./presence/presence.ts";
export type { PresenceState } from "./presence/presence-state.ts";
export type { ClientStatus, ClientStatusStore } from "./sync/client-status.ts";
export type { SyncClientError } from "./sync/sync-error.ts";
export type { SocketConstructor, SocketLike } from "./transport/socket-like.ts";
export type { SocketToken } from "./transport/socket-url.ts";
export type { WebSocketSubscriptionOptions } from "./transport/subscription-options.ts";
export { createWebSocketSubscription } from "./transport/websocket-subscription.ts";
