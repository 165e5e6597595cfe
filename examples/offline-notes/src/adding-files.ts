// Owns: files on their way into a note: while they are read, hashed and stored on this device, which large ones take a while.
import type { FileProgress } from "plasma-sync/client";
import { isPlasmaError } from "plasma-sync";
import { tell } from "./notices.ts";
import type { RegisteredClient } from "plasma-sync/react";

export interface AddingFile {
  readonly id: string;
  readonly noteId: string;
  readonly name: string;
  /** From 0 to 1. */
  readonly done: number;
}

let adding: readonly AddingFile[] = [];
/** By the very object that was handed over, which is how progress names it. */
const idOfFile = new WeakMap<Blob, string>();
const listeners = new Set<() => void>();

export const readAdding = (): readonly AddingFile[] => adding;
export function onAdding(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Attaches the files one after the other, in their order. */
export async function addFiles(client: RegisteredClient, noteId: string, files: readonly File[]): Promise<void> {
  const added = files.map((file) => ({ id: client.newId(), noteId, name: file.name, done: 0, file }));
  for (const { file, id } of added) idOfFile.set(file, id);
  show([...adding, ...added.map(({ file: _file, ...rest }) => rest)]);
  for (const { id, file } of added) {
    try {
      await client.mutate.attach({ id, noteId, file });
    } catch (error) {
      tell(`“${file.name}” was not attached`, isPlasmaError(error) ? error.text : String(error));
    }
    show(adding.filter((one) => one.id !== id));
  }
}

/** The client's `onFileProgress`. */
export function noteProgress({ phase, file, loadedBytes, totalBytes }: FileProgress): void {
  const id = file === undefined ? undefined : idOfFile.get(file);
  if (phase !== "hashing" || id === undefined) return;
  show(adding.map((one) => (one.id === id ? { ...one, done: totalBytes === 0 ? 1 : loadedBytes / totalBytes } : one)));
}

function show(next: readonly AddingFile[]): void {
  adding = next;
  for (const listener of listeners) listener();
}
