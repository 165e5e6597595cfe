// Owns: usePlasmaFile, a file as React state.

import { useMemo, useSyncExternalStore } from "react";
import type { FileRef } from "../core/schema/value.ts";
import { fileStoreOf, NO_FILE, PENDING, type PlasmaFile } from "./file-store.ts";
import { usePlasma } from "./plasma-provider.tsx";
import type { AnyPlasmaClient } from "./register.ts";

/**
 * A file that a row refers to: from this device where it is here, else fetched and kept. Without a ref its status is "missing".
 * Components that show the same file share one download and one object URL. Guide: docs/guides/files.md.
 *
 * @throws PlasmaError `client/no-provider` outside of a provider.
 * @example
 * const cover = usePlasmaFile(todo.cover);
 * if (cover.url === null) return <p>{cover.status}</p>;
 * return <img src={cover.url} alt="" style={{ opacity: cover.status === "ready" ? 1 : 0.6 }} />;
 */
export function usePlasmaFile(ref: FileRef | null | undefined): PlasmaFile {
  const client = usePlasma<AnyPlasmaClient>();
  const { hash, mime, inline, size } = ref ?? {};
  const { subscribe, get } = useMemo(() => {
    if (hash === undefined || mime === undefined || size === undefined) return nothing;
    return fileStoreOf(client, { hash, mime, size, ...(inline === undefined ? {} : { inline }) });
  }, [client, hash, mime, inline, size]);
  return useSyncExternalStore(subscribe, get, () => (ref === null || ref === undefined ? NO_FILE : PENDING));
}

const nothing = { subscribe: () => () => undefined, get: () => NO_FILE };
