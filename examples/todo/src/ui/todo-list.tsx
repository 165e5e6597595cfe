// Owns: the todos of the open list, and the keys that act on one. Only those on the screen or near it are on the page; the space
// of the others is kept free above and below.
import { useRef, useState, type KeyboardEvent } from "react";
import { useDeleteTodo } from "./delete-todo.ts";
import { Nothing, SkeletonTodos } from "./no-todos.tsx";
import { usePlacedTodos } from "./placed-todos.ts";
import type { TodoChoice } from "./queries.ts";
import { useRovingFocus, type ActiveTodo } from "./roving-focus.ts";
import { TodoEditor } from "./todo-editor.tsx";
import { TodoItem } from "./todo-item.tsx";
import { useTodoWindow, windowStart, type TodoWithTick } from "./todo-window.ts";
import { useVisibleRows } from "./visible-rows.ts";

interface TodoListProps {
  /** Which todos; the same object as long as it says the same. */
  readonly choice: TodoChoice;
  /** How many there are; null until it is known. */
  readonly total: number | null;
  readonly isShared: boolean;
  readonly userId: string;
  /** The todo that is being edited here. */
  readonly editingId: string | null;
  /** Todo id → who is editing it elsewhere. */
  readonly editors: ReadonlyMap<string, string>;
  readonly onEditing: (id: string | null) => void;
}

export function TodoList({
  choice,
  total: knownTotal,
  isShared,
  userId,
  editingId,
  editors,
  onEditing,
}: TodoListProps) {
  const list = useRef<HTMLUListElement>(null);
  const [active, setActive] = useState<ActiveTodo | null>(null);
  const [loadedEnd, setLoadedEnd] = useState(0);
  const total = knownTotal ?? loadedEnd;
  const { range, rowPx } = useVisibleRows(list, total);
  const shown = useTodoWindow(choice, windowStart(range.first));
  const end = shown.start + shown.rows.length;
  if (end !== loadedEnd) setLoadedEnd(end);
  const placed = usePlacedTodos(shown, range, [active?.id ?? null, editingId]);
  const { onFocus, onBlur, focusSoon } = useRovingFocus({ active, setActive, list, placed, total, rowPx });
  const activeRow = placed.find(({ row }) => row.todos.id === active?.id)?.row;
  const onKeyDown = useRowKeys(activeRow ?? null, onEditing);
  const stopEditing = (id: string) => {
    onEditing(null);
    focusSoon(id);
  };
  const tabStopId = (activeRow ?? placed[0]?.row)?.todos.id;
  if (shown.rows.length === 0 && total === 0)
    return shown.status === "complete" ? <Nothing {...choice} /> : <SkeletonTodos />;
  /** Space for the todos between two that are on the page. */
  const gap = (from: number, to: number) => (to > from ? `${(to - from) * rowPx}px` : undefined);
  return (
    <ul ref={list} className="todos" aria-label="Todos" onFocus={onFocus} onBlur={onBlur} onKeyDown={onKeyDown}>
      {placed.map(({ index, row }, i) => (
        <li
          key={row.todos.id}
          data-todo={row.todos.id}
          data-done={row.ticks !== null}
          aria-posinset={index + 1}
          aria-setsize={knownTotal ?? -1}
          style={{ marginTop: gap((placed[i - 1]?.index ?? -1) + 1, index) }}
        >
          <TodoLine
            {...{ row, isShared, userId, onEditing }}
            isEdited={row.todos.id === editingId}
            isTabStop={row.todos.id === tabStopId}
            editor={editors.get(row.todos.id) ?? null}
            onEdited={() => stopEditing(row.todos.id)}
          />
        </li>
      ))}
      <li role="presentation" aria-hidden="true" style={{ height: gap((placed.at(-1)?.index ?? -1) + 1, total) }} />
    </ul>
  );
}

/** The keys that act on the todo whose checkbox has the focus. */
function useRowKeys(row: TodoWithTick | null, onEditing: (id: string) => void) {
  const deleteTodo = useDeleteTodo();
  return (event: KeyboardEvent) => {
    if (row === null || !(event.target instanceof HTMLInputElement) || event.target.type !== "checkbox") return;
    if (event.key === "Enter" || event.key === "e") onEditing(row.todos.id);
    else if (event.key === "Delete" || event.key === "Backspace") deleteTodo(row);
    else return;
    event.preventDefault();
  };
}

interface TodoLineProps {
  readonly row: TodoWithTick;
  readonly isEdited: boolean;
  readonly isTabStop: boolean;
  readonly isShared: boolean;
  readonly userId: string;
  /** Who is editing it elsewhere. */
  readonly editor: string | null;
  readonly onEditing: (id: string) => void;
  readonly onEdited: () => void;
}

/** A todo as it is read, or its editor. */
function TodoLine({ row, isEdited, isTabStop, isShared, userId, editor, onEditing, onEdited }: TodoLineProps) {
  const { todos: todo, ticks: tick } = row;
  const deleteTodo = useDeleteTodo();
  const onDelete = () => deleteTodo(row);
  if (isEdited) return <TodoEditor todo={todo} onDelete={onDelete} onDone={onEdited} />;
  const onEdit = () => onEditing(todo.id);
  return <TodoItem {...{ todo, tick, isTabStop, isShared, userId, editor, onEdit, onDelete }} />;
}
