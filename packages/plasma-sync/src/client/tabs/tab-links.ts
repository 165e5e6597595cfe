// Owns: the seam between tabs of one replica: a broadcast channel and locks. The browser's implementation stands on
// BroadcastChannel and Web Locks; `single` (SSR, tests, storage "memory") has no other tabs.

import type { UploadNews } from "../blobs/file-content.ts";
import type { AppliedMutation } from "../replica/replica-deps.ts";
import type { StoreCommit } from "../store/store.ts";
import type { SchemaMismatch } from "../sync/sync-error.ts";

/** What tabs tell each other. Plain data. */
export type TabMessage =
  /** A commit is durable. */
  | { readonly type: "commit"; readonly commit: StoreCommit }
  /** The same of a commit that is not worth the telling where nobody listens: the disk has it. */
  | { readonly type: "stored"; readonly replicaID: string; readonly seq: number }
  /** The server has applied these mutations; they stay in view until the pull that covers them. */
  | { readonly type: "applied"; readonly ids: readonly AppliedMutation[] }
  /** The leader's state of syncing, for followers' `status`. */
  | {
      readonly type: "status";
      readonly status: SharedStatus;
      readonly mismatch: SchemaMismatch | null;
      /** Of the last commit that the leader knows; told to a tab that says hello. */
      readonly seq?: number | undefined;
    }
  /** A tab has just opened or goes on after it was stopped, with that version of the schema, and wants the leader's status. */
  | { readonly type: "hello"; readonly schemaVersion: string }
  /** A follower wants the leader to push and pull now (`flush`, `pullOnce`, `pushOnce`); answered by `done` with the same nonce. */
  | { readonly type: "request"; readonly nonce: string; readonly what: "push" | "pull" | "upload" }
  | { readonly type: "done"; readonly nonce: string }
  /** Does the leader live? `tab`: who asks, if it is visible and would lead instead of a hidden one. */
  | { readonly type: "ping"; readonly tab: string | null }
  /** It does. */
  | { readonly type: "pong" }
  /** The leader has stopped syncing, and that tab may take the lock from it. */
  | { readonly type: "yield"; readonly tab: string }
  /** A file that this tab uploads. */
  | { readonly type: "upload"; readonly news: UploadNews }
  /** The replica is about to be reset, so that nobody takes it for deleted by the browser; then: it was, load it anew. */
  | { readonly type: "reset"; readonly isDone: boolean };

/** The part of the client's status that the leader knows. */
export interface SharedStatus {
  readonly online: boolean;
  readonly syncing: boolean;
  readonly auth: "ok" | "required";
}

export interface TabChannel {
  /** Tells every other tab; delivered in order, never to the sender. Lost when nobody listens. */
  post(message: TabMessage): void;
  close(): void;
}

export interface LockOptions {
  /** Takes it from whoever holds it, at once; who waits for it goes on waiting. */
  readonly steal?: boolean;
  /** Another tab has taken it. A tab that is stopped hears of that when it goes on. */
  readonly onLost?: () => void;
}

export interface TabLinks {
  /** "single" has no other tabs. */
  readonly kind: "browser" | "single";
  openChannel(name: string, onMessage: (message: TabMessage) => void): TabChannel;
  /** Waits for the lock, calls `onHeld`, and holds it until the returned function is called (or the tab dies). */
  requestLock(name: string, onHeld: () => void, options?: LockOptions): () => void;
  /** Whether some tab (this one included) holds the lock now. */
  isLocked(name: string): Promise<boolean>;
}
