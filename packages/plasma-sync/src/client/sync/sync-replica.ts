// Owns: what the sync loop needs of the replica. The replica implements it; tests of the loop use a scripted one.

import type { MutationResult } from "../../core/protocol/push.ts";
import type { PullResponse } from "../../core/protocol/pull.ts";
import type { OutboxEntry } from "../store/store.ts";

export interface FileToUpload {
  readonly hash: string;
  /** Of the first mutation that waits for it, in tagged form: they hold its FileRef. */
  readonly args: unknown;
}

export interface SyncReplica {
  readonly replicaID: string;
  /**
   * Sees to it, before a request, that this tab still syncs and knows every commit: it may have been frozen, or another tab
   * may have died over telling. Throws `client/deposed` when another tab has taken over.
   */
  confirmReign(): Promise<void>;
  /** The cookie of the last durable pull page; null before the first. */
  cookie(): string | null;
  /**
   * The first entries in replica order that the server is not known to have processed, and that wait for no file; none when
   * all are. All go out under one schema version.
   */
  nextPush(countMax: number, bytesMax: number): readonly OutboxEntry[];
  /** Takes a push's results: applied and duplicate entries wait for the pull that covers them, refused ones leave at once. Durable when it resolves. */
  pushed(results: readonly MutationResult[]): Promise<void>;
  /** Notes a failed attempt on the entries, for `pending()`. */
  pushFailed(entries: readonly OutboxEntry[], error: string): void;
  /**
   * The server does not take the schema version under which these entries were pushed. Whether there is another to try: from
   * now on such entries go out under the client's own, and the server's mutators decide about them.
   */
  versionRefused(entries: readonly OutboxEntry[]): boolean;
  /** The server's last id of a client is not the one before our first: entries up to it are applied, or the client takes a new id. */
  pushGap(clientID: string, lastMutationID: number): Promise<void>;
  /** The files that entries wait for, those of the first entries first. */
  filesToUpload(): readonly FileToUpload[];
  /** The server has a file, as of `atMs` (milliseconds since the epoch): entries wait for it no more. */
  fileUploaded(hash: string, atMs: number): void;
  /** Nothing can be done here about a file: the entries that wait for it now do so no more, and the server decides about them. */
  fileLetGo(hash: string): void;
  /** The server will not take a file: the entries that wait for it, never sent, leave with `blob/refused`. Durable when it resolves. */
  fileRefused(hash: string, message: string): Promise<void>;
  /** Takes one page. The commit happens when the catch-up is complete (or page by page in the first sync). Durable when it resolves. */
  pulled(page: PullResponse): Promise<void>;
  /** Forgets pages of an unfinished catch-up, so that the next pull starts at the durable cookie. */
  abandonPull(): void;
  /** The cookie to ask the next page with: that of the last page of an unfinished catch-up, else the durable one. */
  pullCookie(): string | null;
  /** The cookie at which a poke's patch goes on; null when none may: before the first sync is done, in the middle of a catch-up. */
  patchableCookie(): string | null;
  /** The server called the cookie malformed: forget it, so that the next pull re-syncs. */
  forgetCookie(): Promise<void>;
}
