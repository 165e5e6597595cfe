// Owns: what a client does about files until the first one comes: nothing. All else of client/blobs is loaded then.

import { messageOf, PlasmaError } from "../../core/error.ts";
import type { FileRef } from "../../core/schema/value.ts";
import type { Replica } from "../replica/replica.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { ClientFiles, ClientFilesDeps } from "./client-files.ts";
import type { FileState } from "./file-content.ts";
import type { LocalBlobs } from "./local-blobs.ts";

export interface ClientFilesOpener {
  /** Loads and opens at the first call; the next call after a failure tries again. */
  open(): Promise<ClientFiles>;
  /** Null while no file has come. */
  peek(): ClientFiles | null;
  /** See `client.watchFile`. */
  watch(ref: FileRef, listener: (state: FileState) => void): () => void;
  close(): void;
}

type Given = Pick<
  ClientFilesDeps,
  "schema" | "env" | "onProgress" | "cacheBytes" | "whenCurrent" | "http" | "post" | "report"
>;

export function createClientFilesOpener(
  deps: Given & {
    readonly openBlobs: () => Promise<LocalBlobs>;
    readonly replica: Replica;
    readonly runtime: QueryRuntime;
  },
): ClientFilesOpener {
  let files: Promise<ClientFiles> | null = null;
  let current: ClientFiles | null = null;
  let isClosed = false;
  const load = async () => {
    const { createClientFiles } = await import("./client-files.ts");
    const opened = createClientFiles({ ...deps, blobs: await deps.openBlobs() });
    if (isClosed) opened.close();
    return (current = opened);
  };
  const open = () =>
    (files ??= load().catch((error: unknown) => {
      files = null;
      throw error;
    }));
  return {
    open,
    peek: () => current,
    watch: (ref, listener) => {
      let unwatch: (() => void) | null = null;
      let isOver = false;
      const fail = (cause: unknown) => {
        const why = messageOf(cause);
        const error = new PlasmaError("client/download", { hash: String(ref?.hash), why }, { cause });
        if (!isOver) listener({ status: "error", error });
      };
      open()
        .then(({ transfers }) => {
          if (!isOver) unwatch = transfers.watch(ref, listener);
        })
        .catch(fail);
      return () => {
        isOver = true;
        unwatch?.();
      };
    },
    close: () => {
      isClosed = true;
      void files?.then(
        (opened) => opened.close(),
        () => undefined,
      );
    },
  };
}
