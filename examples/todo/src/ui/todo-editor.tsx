// Owns: editing one todo in its place. Enter saves, Escape cancels; only what was changed is sent.
import { usePlasma } from "plasma-sync/react";
import { useState, type FormEvent, type KeyboardEvent } from "react";
import { TITLE_CHARS_MAX, type TodoEdit } from "../mutators.ts";
import type { Todo } from "./todo-item.tsx";

interface TodoEditorProps {
  readonly todo: Todo;
  readonly onDelete: () => void;
  readonly onDone: () => void;
}

export function TodoEditor({ todo, onDelete, onDone }: TodoEditorProps) {
  const client = usePlasma();
  const [title, setTitle] = useState(todo.title);
  const [note, setNote] = useState(todo.note);
  const [due, setDue] = useState(todo.due ?? "");
  // What the person saw when they began: another's edit that comes meanwhile to another field stays.
  const [before] = useState(todo);

  const save = (event?: FormEvent) => {
    event?.preventDefault();
    const edit: TodoEdit = {
      id: todo.id,
      ...(title.trim() === "" || title.trim() === before.title ? {} : { title }),
      ...(note === before.note ? {} : { note }),
      ...(due === (before.due ?? "") ? {} : { due: due === "" ? null : due }),
    };
    if (Object.keys(edit).length > 1) void client.mutate.editTodo(edit);
    onDone();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onDone();
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
  };

  return (
    <form className="editor" aria-label={`Edit ${todo.title}`} onSubmit={save} onKeyDown={onKeyDown}>
      <input
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the person has just asked to type here
        autoFocus
        className="editor-title"
        aria-label="Title"
        maxLength={TITLE_CHARS_MAX}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
      />
      <textarea
        aria-label="Note"
        placeholder="Note"
        rows={note.includes("\n") ? 4 : 2}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      <div className="editor-row">
        <label>
          Due <input type="date" value={due} onChange={(event) => setDue(event.target.value)} />
        </label>
        <span className="spacer" />
        <button
          type="button"
          className="button small quiet danger-text"
          onClick={() => {
            onDelete();
            onDone();
          }}
        >
          Delete
        </button>
        <button type="button" className="button small quiet" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" className="button small">
          Save
        </button>
      </div>
    </form>
  );
}
