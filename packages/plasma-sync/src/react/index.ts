// The public surface of plasma-sync/react.

export type { PlasmaFile } from "./file-store.ts";
export type { LiveQueryResult } from "./live-query-store.ts";
export { PlasmaProvider, usePlasma, type PlasmaProviderProps } from "./plasma-provider.tsx";
export type { Register, RegisteredClient, RegisteredMutators } from "./register.ts";
export { useLiveQuery, useLiveQueryResult, type LiveQueryFactory } from "./use-live-query.ts";
export { useMutation, type UseMutationOptions, type UseMutationResult } from "./use-mutation.ts";
export { usePresence, type UsePresenceOptions, type UsePresenceResult } from "./use-presence.ts";
export { usePlasmaFile } from "./use-plasma-file.ts";
export { useSyncStatus, type SyncStatus } from "./use-sync-status.ts";
