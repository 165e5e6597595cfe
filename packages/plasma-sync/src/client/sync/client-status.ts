// Owns: the `status` of a client: one immutable snapshot, replaced only when something in it changed.

import type { FirstSync } from "../store/store.ts";
import { callApp } from "./app-callback.ts";
import type { SyncClientError } from "./sync-error.ts";

export interface ClientStatus {
  readonly online: boolean;
  /** A request is under way. */
  readonly syncing: boolean;
  /** "required": the server answered 401, and so did the second attempt with new headers. */
  readonly auth: "ok" | "required";
  /** Mutations that the server has not confirmed. */
  readonly outboxDepth: number;
  /** The last error; null again once neither pushes nor pulls are failing. */
  readonly lastError: SyncClientError | null;
  readonly cookie: string | null;
  readonly firstSync: FirstSync;
  /** Whether this tab syncs for the others; "single" where there are no others. */
  readonly role: "leader" | "follower" | "single";
}

export interface ClientStatusStore {
  /** The same object until something changes. */
  get(): ClientStatus;
  /** Calls `listener` after each change; returns unsubscribe. */
  subscribe(listener: () => void): () => void;
}

/** A status that its owner updates. */
export interface WritableClientStatus extends ClientStatusStore {
  update(change: Partial<ClientStatus>): void;
}

const initial: ClientStatus = {
  online: true,
  syncing: false,
  auth: "ok",
  outboxDepth: 0,
  lastError: null,
  cookie: null,
  firstSync: { done: false, rows: 0 },
  role: "follower",
};

/** Makes a status. */
export function createClientStatus(): WritableClientStatus {
  let status = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => status,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    update: (change) => {
      const isNews = Object.entries(change).some(([key, value]) => status[key as keyof ClientStatus] !== value);
      if (!isNews) return;
      status = { ...status, ...change };
      for (const listener of listeners) callApp(listener);
    },
  };
}
