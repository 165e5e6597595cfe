// Owns: every change that the notes app makes. The server runs the same ones; what they do to drafts and desk it leaves out.
import { defineMutators, eq, type FileRef, type InferRow, type MutatorInput } from "plasma-sync";
import { attachments, desk, drafts, notes, type schema } from "./schema.ts";

type Input<Args> = MutatorInput<typeof schema, null, Args>;
export type Note = InferRow<typeof notes>;
export type Attachment = InferRow<typeof attachments>;

export interface NoteText {
  readonly title: string;
  readonly body: string;
}

export const mutators = defineMutators<typeof schema, null>()({
  createNote: async ({ db, args, now }: Input<{ id: string }>) => {
    await db.insert(notes).values({ id: args.id, createdAt: now, editedAt: now });
  },
  /** Stays on the device: it writes a local-only table and nothing else, so it is not sent. */
  keepDraft: async ({ db, args: { id, ...draft } }: Input<{ id: string } & NoteText>) => {
    await db
      .insert(drafts)
      .values({ id, noteId: id, ...draft })
      .onConflictDoUpdate({ set: draft });
  },
  saveNote: async ({ db, args: { id, title, body }, now }: Input<{ id: string } & NoteText>) => {
    await db.update(notes).set({ title, body, editedAt: now }).where(eq(notes.id, id));
    await db.delete(drafts).where(eq(drafts.id, id));
  },
  setPinned: async ({ db, args }: Input<{ id: string; pinned: boolean }>) => {
    await db.update(notes).set({ pinned: args.pinned }).where(eq(notes.id, args.id));
  },
  /** Takes attachments and draft along. */
  deleteNote: async ({ db, args }: Input<{ id: string }>) => {
    await db.delete(notes).where(eq(notes.id, args.id));
  },
  /** Undoes a delete: only what is put back must be in the args. */
  restoreNote: async ({ db, args }: Input<{ note: Note; attachments: readonly Attachment[] }>) => {
    await db.insert(notes).values(args.note);
    for (const attachment of args.attachments) await db.insert(attachments).values(attachment);
  },
  /** `file`: a File at the call; here it has become the FileRef that is stored. */
  attach: async ({ db, args, now }: Input<{ id: string; noteId: string; file: FileRef }>) => {
    await db.insert(attachments).values({ ...args, addedAt: now });
    await db.update(notes).set({ editedAt: now }).where(eq(notes.id, args.noteId));
  },
  detach: async ({ db, args }: Input<{ id: string }>) => {
    await db.delete(attachments).where(eq(attachments.id, args.id));
  },
  reattach: async ({ db, args }: Input<Attachment>) => {
    await db.insert(attachments).values(args);
  },
  rememberOpenNote: async ({ db, args }: Input<{ id: string | null }>) => {
    await db
      .insert(desk)
      .values({ id: "desk", openNoteId: args.id })
      .onConflictDoUpdate({ set: { openNoteId: args.id } });
  },
});
