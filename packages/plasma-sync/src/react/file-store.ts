// Owns: FileStore: what all components of a client that show the same file share: its state and one object URL.
// Invariants:
//   1. An object URL lives while somebody shows the file, and is revoked when nobody does or its bytes are others.
//   2. Who unmounts and mounts again in one turn (StrictMode, a list that gives way to a detail) finds everything as it was.

import type { FileState } from "../client/blobs/file-content.ts";
import type { PlasmaError } from "../core/error.ts";
import type { FileRef } from "../core/schema/value.ts";
import type { AnyPlasmaClient } from "./register.ts";

/** What a component shows of a file. */
export interface PlasmaFile {
  /**
   * "pending": looked for, or on its way here. "local": only here. "uploading": on its way to the server. "ready": here and there.
   * "missing": nobody shows it to this user, or there is no ref. "error": it did not come; it is asked for again in a while.
   */
  readonly status: FileState["status"];
  /** For `src` and `href`; null without bytes. Revoked when no component shows the file any more. */
  readonly url: string | null;
  readonly bytes: Blob | null;
  /** Of the upload or download under way. */
  readonly progress: { readonly loadedBytes: number; readonly totalBytes: number } | null;
  readonly error: PlasmaError | null;
}

const NOTHING = { url: null, bytes: null, progress: null, error: null } as const;
export const PENDING: PlasmaFile = Object.freeze({ status: "pending", ...NOTHING });
export const NO_FILE: PlasmaFile = Object.freeze({ status: "missing", ...NOTHING });

export class FileStore {
  readonly #ref: FileRef;
  readonly #client: Pick<AnyPlasmaClient, "watchFile">;
  readonly #onUse: (isInUse: boolean) => void;
  readonly #listeners = new Set<() => void>();
  #file: PlasmaFile = PENDING;
  #unwatch: (() => void) | null = null;

  constructor(client: Pick<AnyPlasmaClient, "watchFile">, ref: FileRef, onUse: (isInUse: boolean) => void) {
    this.#client = client;
    this.#ref = ref;
    this.#onUse = onUse;
  }

  readonly get = (): PlasmaFile => this.#file;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#unwatch === null) {
      this.#onUse(true);
      this.#unwatch = this.#client.watchFile(this.#ref, (state) => this.#show(state));
    }
    return () => {
      this.#listeners.delete(listener);
      // Behind the effects of this commit: another component may show it from now on.
      void Promise.resolve().then(() => this.#endIfIdle());
    };
  };

  #endIfIdle(): void {
    if (this.#listeners.size > 0 || this.#unwatch === null) return;
    this.#unwatch();
    this.#unwatch = null;
    if (this.#file.url !== null) URL.revokeObjectURL(this.#file.url);
    this.#file = PENDING;
    this.#onUse(false);
  }

  #show(state: FileState): void {
    const { url, bytes: shown } = this.#file;
    const bytes = "bytes" in state ? state.bytes : null;
    if (bytes !== shown && url !== null) URL.revokeObjectURL(url);
    this.#file = {
      status: state.status,
      url: bytes === shown ? url : bytes === null ? null : URL.createObjectURL(bytes),
      bytes,
      progress: "progress" in state ? state.progress : null,
      error: "error" in state ? state.error : null,
    };
    for (const listener of this.#listeners) listener();
  }
}

const stores = new WeakMap<object, Map<string, FileStore>>();

/** The store of a file for the components of a client. */
export function fileStoreOf(client: Pick<AnyPlasmaClient, "watchFile">, ref: FileRef): FileStore {
  const ofClient = stores.get(client) ?? new Map<string, FileStore>();
  stores.set(client, ofClient);
  const key = `${ref.hash} ${ref.mime}`;
  const known = ofClient.get(key);
  if (known !== undefined) return known;
  const store = new FileStore(client, ref, (isInUse) => {
    if (isInUse && !ofClient.has(key)) ofClient.set(key, store);
    if (!isInUse && ofClient.get(key) === store) ofClient.delete(key);
  });
  ofClient.set(key, store);
  return store;
}
