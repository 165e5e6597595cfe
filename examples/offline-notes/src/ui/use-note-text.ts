// Owns: typing into a note. Every key is kept in a draft on the device, so a killed page loses nothing; the note itself, which
// syncs, is saved in a pause, when the field is left and when the page goes away.
import { usePlasma } from "plasma-sync/react";
import { useCallback, useEffect, useRef, useState } from "react";
import type { NoteText } from "../mutators.ts";

const PAUSE_MS = 800;

export interface Typing {
  readonly text: NoteText;
  readonly type: (change: Partial<NoteText>) => void;
  readonly save: () => void;
}

/** `stored`: what the local database has, draft or note. */
export function useNoteText(id: string, stored: NoteText): Typing {
  const client = usePlasma();
  /** What this tab has typed and the note does not hold yet. */
  const [typed, setTyped] = useState<NoteText | null>(null);
  const latest = useRef<NoteText | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const save = useCallback(() => {
    clearTimeout(timer.current);
    const text = latest.current;
    if (text === null) return;
    latest.current = null;
    const { title, body } = text;
    client.mutate.saveNote({ id, title, body }).then(
      // Typed on meanwhile: that is shown, and saved next.
      () => setTyped((now) => (now === text ? null : now)),
      // The draft still holds it, and the app has been told.
      () => undefined,
    );
  }, [client, id]);

  const type = (change: Partial<NoteText>) => {
    const { title, body } = typed ?? stored;
    const text = { title, body, ...change };
    latest.current = text;
    setTyped(text);
    client.mutate.keepDraft({ id, ...text }).catch(() => undefined);
    clearTimeout(timer.current);
    timer.current = setTimeout(save, PAUSE_MS);
  };

  useEffect(() => {
    addEventListener("pagehide", save);
    return () => {
      removeEventListener("pagehide", save);
      save();
    };
  }, [save]);

  return { text: typed ?? stored, type, save };
}
