// Owns: the open note: its text, its files, and what can be done with it.
import { usePlasma } from "plasma-sync/react";
import { useRef } from "react";
import type { Note } from "../mutators.ts";
import { offerUndo } from "../notices.ts";
import { Icon } from "./icons.tsx";
import { nameOf, type ShownNote } from "./queries.ts";
import { openNote } from "./route.ts";
import { useNoteText } from "./use-note-text.ts";

export function Editor({ shown: { note, text: stored, files } }: { shown: ShownNote }) {
  const client = usePlasma();
  const { id } = note;
  const { text, type, save } = useNoteText(id, stored);
  const body = useRef<HTMLTextAreaElement>(null);

  function remove() {
    const kept = { note: { ...note, title: text.title, body: text.body }, attachments: files };
    void client.mutate.deleteNote({ id });
    openNote(null);
    offerUndo(`“${nameOf(text)}” is deleted`, () => {
      void client.mutate.restoreNote(kept);
      openNote(id);
    });
  }

  return (
    <main className="sheet" aria-label={nameOf(text)}>
      <Tools note={note} onDelete={remove} />
      <div className="text">
        <input
          className="title"
          aria-label="Title"
          placeholder="Title"
          value={text.title}
          autoFocus={stored.title === "" && stored.body === ""}
          onChange={(event) => type({ title: event.target.value })}
          onBlur={save}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
            event.preventDefault();
            body.current?.focus();
          }}
        />
        <textarea
          ref={body}
          className="body"
          aria-label="Text"
          placeholder="Write something"
          value={text.body}
          onChange={(event) => type({ body: event.target.value })}
          onBlur={save}
        />
      </div>
    </main>
  );
}

function Tools({ note: { id, pinned }, onDelete }: { note: Note; onDelete: () => void }) {
  const client = usePlasma();
  return (
    <div className="tools">
      <button type="button" className="icon-button back" aria-label="All notes" onClick={() => openNote(null)}>
        <Icon name="back" />
      </button>
      <span className="tools-gap" />
      <button
        type="button"
        className="icon-button"
        aria-label="Pin"
        aria-pressed={pinned}
        title={pinned ? "Unpin" : "Pin to the top"}
        onClick={() => void client.mutate.setPinned({ id, pinned: !pinned })}
      >
        <Icon name="pin" />
      </button>
      <button type="button" className="icon-button" aria-label="Delete note" title="Delete note" onClick={onDelete}>
        <Icon name="trash" />
      </button>
    </div>
  );
}
