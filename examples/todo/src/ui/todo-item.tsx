// Owns: one todo as it is read: its checkbox, title, due day, who wrote it and who did it.
import type { InferRow } from "plasma-sync";
import { usePlasma } from "plasma-sync/react";
import { memo } from "react";
import { personName } from "../people.ts";
import type { ticks, todos } from "../schema.ts";
import { describeDue, useToday } from "./due-day.ts";
import { Icon } from "./icons.tsx";

export type Todo = InferRow<typeof todos>;
type Tick = InferRow<typeof ticks>;

interface TodoItemProps {
  readonly todo: Todo;
  readonly tick: Tick | null;
  readonly isTabStop: boolean;
  readonly isShared: boolean;
  readonly userId: string;
  /** Who is editing it elsewhere. */
  readonly editor: string | null;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
}

export const TodoItem = memo(
  function TodoItem({ todo, tick, isTabStop, isShared, userId, editor, onEdit, onDelete }: TodoItemProps) {
    const client = usePlasma();
    const isDone = tick !== null;
    const tabIndex = isTabStop ? 0 : -1;
    const titleId = `title-${todo.id}`;
    const doneBy = tick !== null && tick.userId !== userId ? `Done by ${personName(tick.userId)}` : null;
    return (
      <div className="todo">
        <input
          type="checkbox"
          checked={isDone}
          tabIndex={tabIndex}
          aria-labelledby={titleId}
          onChange={(event) => void client.mutate.setDone({ id: todo.id, done: event.target.checked })}
        />
        <button type="button" className="todo-text" tabIndex={-1} onClick={onEdit}>
          <span id={titleId} className="title">
            {todo.title}
          </span>
          {todo.note === "" ? null : <span className="note">{todo.note}</span>}
        </button>
        <span className="meta">
          {editor === null ? null : <EditingBy person={editor} />}
          {doneBy === null ? null : <span className="done-by">{doneBy}</span>}
          {todo.due === null || isDone ? null : <Due day={todo.due} />}
          {isShared || todo.authorId !== userId ? (
            <span className="avatar small" data-user={todo.authorId} title={`Written by ${personName(todo.authorId)}`}>
              <span aria-hidden="true">{todo.authorId.charAt(0).toUpperCase()}</span>
              <span className="visually-hidden">Written by {personName(todo.authorId)}</span>
            </span>
          ) : null}
        </span>
        <span className="actions">
          <button
            type="button"
            className="icon-button"
            tabIndex={tabIndex}
            aria-label={`Edit ${todo.title}`}
            title="Edit (e)"
            onClick={onEdit}
          >
            <Icon name="edit" />
          </button>
          <button
            type="button"
            className="icon-button"
            tabIndex={tabIndex}
            aria-label={`Delete ${todo.title}`}
            title="Delete"
            onClick={onDelete}
          >
            <Icon name="trash" />
          </button>
        </span>
      </div>
    );
  },
  // The handlers are new in each render, but do the same as long as the row is the same.
  (a, b) =>
    a.todo === b.todo &&
    a.tick === b.tick &&
    a.isTabStop === b.isTabStop &&
    a.isShared === b.isShared &&
    a.editor === b.editor &&
    a.userId === b.userId,
);

function EditingBy({ person }: { person: string }) {
  return (
    <span className="editing-by">
      <Icon name="edit" />
      <span>
        {personName(person)} <span className="editing-word">is editing</span>
      </span>
    </span>
  );
}

function Due({ day }: { day: string }) {
  const { text, isLate, isSoon } = describeDue(day, useToday());
  return (
    <span className="due" data-late={isLate} data-soon={isSoon}>
      <span className="visually-hidden">{isLate ? "Overdue since " : "Due "}</span>
      {text}
    </span>
  );
}
