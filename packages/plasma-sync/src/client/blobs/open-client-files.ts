// Owns: what a client does about files until the first one comes: nothing. All else of client/blobs is loaded then.

import type { Replica } from "../replica/replica.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { ClientFiles, ClientFilesDeps } from "./client-files.ts";
import type { LocalBlobs } from "./local-blobs.ts";

export interface ClientFilesOpener {
  /** Loads and opens at the first call; the next call after a failure tries again. */
  open(): Promise<ClientFiles>;
  close(): void;
}

type Given = Pick<ClientFilesDeps, "schema" | "env" | "onProgress" | "cacheBytes">;

export function createClientFilesOpener(
  deps: Given & {
    readonly openBlobs: () => Promise<LocalBlobs>;
    readonly replica: Replica;
    readonly runtime: QueryRuntime;
  },
): ClientFilesOpener {
  let files: Promise<ClientFiles> | null = null;
  let isClosed = false;
  const load = async () => {
    const { createClientFiles } = await import("./client-files.ts");
    const opened = createClientFiles({ ...deps, blobs: await deps.openBlobs() });
    if (isClosed) opened.close();
    return opened;
  };
  return {
    open: () =>
      (files ??= load().catch((error: unknown) => {
        files = null;
        throw error;
      })),
    close: () => {
      isClosed = true;
      void files?.then(
        (opened) => opened.close(),
        () => undefined,
      );
    },
  };
}
