// Owns: the data of the notes app. Two tables sync once a server is there; two stay on the device whatever happens.
import { boolean, defineSchema, file, id, ref, table, text, timestamp } from "plasma-sync";

export const SCHEMA_VERSION = "1";

/** Bytes of one attachment. */
export const FILE_BYTES_MAX = 50_000_000;

export const notes = table("notes", {
  id: id(),
  title: text().default(""),
  body: text().default(""),
  pinned: boolean().default(false),
  createdAt: timestamp(),
  editedAt: timestamp(),
});

export const attachments = table(
  "attachments",
  {
    id: id(),
    noteId: ref(() => notes.id, { onDelete: "cascade" }),
    file: file({ maxSize: FILE_BYTES_MAX }),
    addedAt: timestamp(),
  },
  { indexes: (t) => [[t.noteId, t.addedAt]] },
);

/** What is being typed: saved with every key, made part of the note in a pause. One per note, with the note's id. */
export const drafts = table(
  "drafts",
  { id: id(), noteId: ref(() => notes.id, { onDelete: "cascade" }), title: text(), body: text() },
  { changeLogSuppressed: true },
);

/** What this device shows. One row. */
export const desk = table("desk", { id: id(), openNoteId: text().nullable() }, { changeLogSuppressed: true });

export const schema = defineSchema({ notes, attachments, drafts, desk });
