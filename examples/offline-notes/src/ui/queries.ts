// Owns: what the screens ask of the local database.
import { asc, desc, eq } from "plasma-sync";
import { useLiveQuery, useLiveQueryResult } from "plasma-sync/react";
import { useMemo } from "react";
import type { Attachment, Note, NoteText } from "../mutators.ts";
import { attachments, drafts, notes } from "../schema.ts";

/** A note as it is shown: with what is being typed in place of what was saved. */
export interface ShownNote {
  readonly note: Note;
  readonly text: NoteText;
  readonly files: readonly Attachment[];
}

export function useNotes(): { readonly shown: readonly ShownNote[]; readonly isLoading: boolean } {
  const { rows, status } = useLiveQueryResult(
    (db) =>
      db
        .select()
        .from(notes)
        .leftJoin(drafts, eq(drafts.noteId, notes.id))
        .orderBy(desc(notes.pinned), desc(notes.editedAt)),
    [],
  );
  const files = useLiveQuery((db) => db.select().from(attachments).orderBy(asc(attachments.addedAt)), []);
  const shown = useMemo(() => {
    const filesOf = Map.groupBy(files, ({ noteId }) => noteId);
    return rows.map((row) => ({
      note: row.notes,
      text: row.drafts ?? row.notes,
      files: filesOf.get(row.notes.id) ?? [],
    }));
  }, [rows, files]);
  return { shown, isLoading: status === "loading" };
}

/** The notes that hold every word, in title, text or the name of a file. */
export function search(shown: readonly ShownNote[], words: string): readonly ShownNote[] {
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return shown;
  return shown.filter(({ text, files }) => {
    const names = files.map(({ file }) => file.name ?? "").join("\n");
    const all = `${text.title}\n${text.body}\n${names}`.toLocaleLowerCase();
    return wanted.every((word) => all.includes(word));
  });
}

/** What stands for a note in a list. */
export const nameOf = ({ title, body }: NoteText): string =>
  title.trim() || body.trim().split("\n", 1)[0]?.trim() || "New note";
