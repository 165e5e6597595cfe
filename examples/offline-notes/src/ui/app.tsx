// Owns: the frame of the app: the list of notes beside the open one, the sync switch, notices.
import { usePlasma } from "plasma-sync/react";
import { useEffect, useRef, useState, type RefObject } from "react";
import { desk } from "../schema.ts";
import { Editor } from "./editor.tsx";
import { Icon } from "./icons.tsx";
import { NoteList } from "./note-list.tsx";
import { Notices } from "./notices.tsx";
import { useNotes } from "./queries.ts";
import { openNote, useOpenNoteId } from "./route.ts";
import { SyncSwitch } from "./sync-switch.tsx";

export function App({ isSyncOn }: { isSyncOn: boolean }) {
  const client = usePlasma();
  const { shown, isLoading } = useNotes();
  const openId = useOpenNoteId();
  const [words, setWords] = useState("");
  const searchField = useRef<HTMLInputElement>(null);
  const open = shown.find(({ note }) => note.id === openId);
  useRememberedNote(openId);

  function create() {
    setWords("");
    // One empty note is enough.
    const empty = shown.find(({ text, files }) => text.title + text.body === "" && files.length === 0);
    const id = empty?.note.id ?? client.newId();
    if (empty === undefined) void client.mutate.createNote({ id });
    openNote(id);
  }
  const createButton = useRef<HTMLButtonElement>(null);
  useFocusWhenClosed(openId, createButton);
  useKeys({ n: create, "/": () => searchField.current?.focus() });

  return (
    <div className="app" data-view={openId === null ? "list" : "note"}>
      <header className="top">
        <h1 className="brand">
          <span className="brand-mark">
            <Icon name="note" />
          </span>
          Notes
        </h1>
        <button ref={createButton} type="button" className="button" onClick={create} title="New note (n)">
          <Icon name="plus" />
          New note
        </button>
      </header>
      <NoteList shown={shown} openId={openId} words={words} onWords={setWords} searchField={searchField} />
      <SyncSwitch isOn={isSyncOn} />
      {open === undefined ? (
        <main className="sheet empty">
          {isLoading ? null : <Nothing hasNotes={shown.length > 0} isGone={openId !== null} />}
        </main>
      ) : (
        <Editor key={open.note.id} shown={open} />
      )}
      <Notices />
    </div>
  );
}

function Nothing({ hasNotes, isGone }: { hasNotes: boolean; isGone: boolean }) {
  if (isGone)
    return (
      <>
        <h2>This note is not here</h2>
        <p>It was deleted, or is on another device.</p>
        <button type="button" className="button quiet" onClick={() => openNote(null)}>
          All notes
        </button>
      </>
    );
  if (hasNotes) return <p>Choose a note, or press n for a new one.</p>;
  return (
    <>
      <h2>No notes yet</h2>
      <p>Press n, or New note. Everything stays in this browser until you switch sync on.</p>
    </>
  );
}

/** Opens the app where it was left. */
function useRememberedNote(openId: string | null): void {
  const client = usePlasma();
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current && openId === null && matchMedia("(min-width: 721px)").matches) {
      isFirst.current = false;
      void client.db
        .select()
        .from(desk)
        .then(([row]) => {
          if (row !== undefined && row.openNoteId !== null && location.hash.length < 2) openNote(row.openNoteId);
        });
      return;
    }
    isFirst.current = false;
    client.mutate.rememberOpenNote({ id: openId }).catch(() => undefined);
  }, [client, openId]);
}

/** A note that is deleted or left takes the focus with it: it goes to what one may want next. */
function useFocusWhenClosed(openId: string | null, target: RefObject<HTMLElement | null>): void {
  const wasOpen = useRef(false);
  useEffect(() => {
    if (openId === null && wasOpen.current) target.current?.focus();
    wasOpen.current = openId !== null;
  }, [openId, target]);
}

/** Keys that work while nobody types. */
function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.metaKey || event.ctrlKey || event.altKey || target.matches("input, textarea, select")) return;
      const action = latest.current[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}
