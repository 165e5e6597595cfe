// Owns: editing one todo in its place. Enter saves, Escape cancels; only what was changed is sent.
import { useMutation } from "plasma-sync/react";
import { useState, type FormEvent, type KeyboardEvent } from "react";
import { TITLE_CHARS_MAX, type TodoEdit } from "../mutators.ts";
import type { Todo } from "./todo-item.tsx";

interface TodoEditorProps {
  readonly todo: Todo;
  readonly onDelete: () => void;
  readonly onDone: () => void;
}

/** What the person types, and what of it differs from what they saw when they began. */
function useDraft(todo: Todo) {
  const [before] = useState(todo);
  const [title, setTitle] = useState(todo.title);
  const [note, setNote] = useState(todo.note);
  const [due, setDue] = useState(todo.due ?? "");
  const edit: TodoEdit = {
    id: todo.id,
    ...(title.trim() === "" || title.trim() === before.title ? {} : { title }),
    ...(note === before.note ? {} : { note }),
    ...(due === (before.due ?? "") ? {} : { due: due === "" ? null : due }),
  };
  return { title, setTitle, note, setNote, due, setDue, edit, isChanged: Object.keys(edit).length > 1 };
}

export function TodoEditor({ todo, onDelete, onDone }: TodoEditorProps) {
  const { mutate: editTodo } = useMutation("editTodo");
  const { title, setTitle, note, setNote, due, setDue, edit, isChanged } = useDraft(todo);
  const save = (event?: FormEvent) => {
    event?.preventDefault();
    if (isChanged) void editTodo(edit);
    onDone();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onDone();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
  };
  const remove = () => {
    onDelete();
    onDone();
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
        <EditorButtons onDelete={remove} onCancel={onDone} />
      </div>
    </form>
  );
}

function EditorButtons({ onDelete, onCancel }: { onDelete: () => void; onCancel: () => void }) {
  return (
    <>
      <button type="button" className="button small quiet danger-text" onClick={onDelete}>
        Delete
      </button>
      <button type="button" className="button small quiet" onClick={onCancel}>
        Cancel
      </button>
      <button type="submit" className="button small">
        Save
      </button>
    </>
  );
}
