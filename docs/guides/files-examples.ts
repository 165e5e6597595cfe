// The code of docs/guides/files.md, region by region. The tests compile and run it.

// #region columns
import {
  defineMutators,
  defineSchema,
  eq,
  file,
  id,
  table,
  text,
  type FileRef,
  type MutatorInput,
} from "plasma-sync/core";

export const notes = table("notes", {
  id: id(),
  title: text(),
  cover: file({ maxSize: 5_000_000, mimeAllowList: ["image/*"] }).nullable(),
});
export const attachments = table("attachments", { id: id(), noteId: text(), file: file({ maxSize: 200_000_000 }) });
export const schema = defineSchema({ notes, attachments });
// #endregion

// #region mutators
type Input<Args> = MutatorInput<typeof schema, unknown, Args>;

export const mutators = defineMutators<typeof schema, unknown>()({
  setCover: async ({ db, args }: Input<{ noteId: string; cover: FileRef | null }>) => {
    await db.update(notes).set({ cover: args.cover }).where(eq(notes.id, args.noteId));
  },
  attach: async ({ db, args, newId }: Input<{ noteId: string; files: FileRef[] }>) => {
    await db.insert(attachments).values(args.files.map((each) => ({ id: newId(), noteId: args.noteId, file: each })));
  },
  addNote: async ({ db, args }: Input<{ id: string; title: string }>) => {
    await db.insert(notes).values(args);
  },
});
// #endregion

// #region client
import { createPlasmaClient, type FileProgress } from "plasma-sync/client";

/** What the page shows of files under way. */
export const bars = new Map<Blob, number>();

const onFileProgress = ({ phase, file: given, loadedBytes, totalBytes }: FileProgress) => {
  if (phase === "hashing" && given !== undefined) bars.set(given, totalBytes === 0 ? 1 : loadedBytes / totalBytes);
};

export const openNotes = (options: { dbName: string }) =>
  createPlasmaClient({
    ...options,
    schema,
    mutators,
    schemaVersion: "1",
    clientGroupID: "ada",
    getContext: () => ({}),
    offline: true,
    onFileProgress,
    fileCacheBytes: 200_000_000,
  });
// #endregion

// #region mutate
type NotesClient = ReturnType<typeof openNotes>;

/** For `<input type="file">`, drag and drop, and paste alike: all of them give Files. */
export async function attachAll(client: NotesClient, noteId: string, files: readonly File[]): Promise<void> {
  await client.mutate.attach({ noteId, files: [...files] });
}

/** Bytes that the page has made itself. */
export async function drawCover(client: NotesClient, noteId: string, png: Uint8Array<ArrayBuffer>): Promise<void> {
  await client.mutate.setCover({ noteId, cover: new Blob([png], { type: "image/png" }) });
}
// #endregion

// #region read
import type { FileState } from "plasma-sync/client";

/** The text of a file, or why there is none. */
export async function textOf(client: NotesClient, ref: FileRef): Promise<string> {
  const found = await client.readFile(ref);
  if ("bytes" in found) return found.bytes.text();
  return found.status === "missing" ? "This file is not here." : found.error.text;
}

/** Keeps a picture's `src` current; returns what ends it. */
export function showPicture(client: NotesClient, ref: FileRef, picture: { src: string }): () => void {
  let url: string | null = null;
  const show = (state: FileState) => {
    if (!("bytes" in state) || url !== null) return;
    url = URL.createObjectURL(state.bytes);
    picture.src = url;
  };
  const unwatch = client.watchFile(ref, show);
  return () => {
    unwatch();
    if (url !== null) URL.revokeObjectURL(url);
  };
}
// #endregion

// #region uploads
import type { SyncClientError } from "plasma-sync/client";

/** For `onError`: what the person should know of an upload. */
export function tellOfUpload(error: SyncClientError): string | null {
  if (error.kind === "mutation-rejected" && error.code === "blob/refused")
    return `A file was not accepted, and the change was taken back: ${error.message}`;
  // Sent again by itself; `status` shows that something is amiss.
  return null;
}
// #endregion

// #region errors
import { isPlasmaError } from "plasma-sync/core";

/** What to tell the person of a file that was not taken; null when the failure is another one. */
export function explain(error: unknown): string | null {
  // Too large, of a type that no column takes, or in the place of a file that stays: `text` says which and what is allowed.
  if (isPlasmaError(error, "blob/refused")) return error.text;
  // Moved, changed or removed since it was chosen; or a folder.
  if (isPlasmaError(error, "client/file")) return `${error.data.name} could not be read. Please choose it again.`;
  if (isPlasmaError(error, "client/storage")) return "There is no room left on this device.";
  return null;
}
// #endregion
