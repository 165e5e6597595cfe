// Owns: the open note: its text, its files, and what can be done with it.
import { usePlasma } from "plasma-sync/react";
import { useRef } from "react";
import { addFiles } from "../adding-files.ts";
import type { Note } from "../mutators.ts";
import { offerUndo } from "../notices.ts";
import { Attachments } from "./attachments.tsx";
import { Icon } from "./icons.tsx";
import { nameOf, type ShownNote } from "./queries.ts";
import { openNote } from "./route.ts";
import { useFileDrop } from "./use-file-drop.ts";
import { useNoteText } from "./use-note-text.ts";

export function Editor({ shown: { note, text: stored, files } }: { shown: ShownNote }) {
  const client = usePlasma();
  const { id } = note;
  const { text, type, save } = useNoteText(id, stored);
  const body = useRef<HTMLTextAreaElement>(null);
  const attach = (added: readonly File[]) => void addFiles(client, id, added);
  const drop = useFileDrop(attach);

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
    <main className="sheet" aria-label={nameOf(text)} {...drop.handlers}>
      <Tools note={note} onDelete={remove} onFiles={attach} />
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
        <Attachments noteId={id} files={files} />
      </div>
      {drop.isOver ? <p className="drop">Drop to attach</p> : null}
    </main>
  );
}

interface ToolsProps {
  readonly note: Note;
  readonly onDelete: () => void;
  readonly onFiles: (files: readonly File[]) => void;
}

function Tools({ note: { id, pinned }, onDelete, onFiles }: ToolsProps) {
  const client = usePlasma();
  const picker = useRef<HTMLInputElement>(null);
  return (
    <div className="tools">
      <button type="button" className="icon-button back" aria-label="All notes" onClick={() => openNote(null)}>
        <Icon name="back" />
      </button>
      <span className="tools-gap" />
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label="Files to attach"
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          // The same file may be chosen again.
          target.value = "";
        }}
      />
      <button
        type="button"
        className="icon-button"
        aria-label="Attach files"
        title="Attach files (or drop or paste them)"
        onClick={() => picker.current?.click()}
      >
        <Icon name="clip" />
      </button>
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
