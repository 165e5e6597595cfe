// Owns: the todos of the open list, and the keys that act on one.
import type { KeyboardEvent } from "react";
import { useDeleteTodo } from "./delete-todo.ts";
import type { TodoWithTick } from "./queries.ts";
import { useRovingFocus } from "./roving-focus.ts";
import { TodoEditor } from "./todo-editor.tsx";
import { TodoItem } from "./todo-item.tsx";

interface TodoListProps {
  readonly rows: readonly TodoWithTick[];
  readonly isShared: boolean;
  readonly userId: string;
  /** The todo that is being edited here. */
  readonly editingId: string | null;
  /** Todo id → who is editing it elsewhere. */
  readonly editors: ReadonlyMap<string, string>;
  readonly onEditing: (id: string | null) => void;
}

export function TodoList({ rows, isShared, userId, editingId, editors, onEditing }: TodoListProps) {
  const deleteTodo = useDeleteTodo();
  const { list, active, tabStop, onFocus, onBlur, focusSoon } = useRovingFocus(rows);

  const onKeyDown = (event: KeyboardEvent) => {
    if (active === undefined || !(event.target instanceof HTMLInputElement) || event.target.type !== "checkbox") return;
    if (event.key === "Enter" || event.key === "e") onEditing(active.todos.id);
    else if (event.key === "Delete" || event.key === "Backspace") deleteTodo(active);
    else return;
    event.preventDefault();
  };
  const stopEditing = (id: string) => {
    onEditing(null);
    focusSoon(id);
  };
  const view = (row: TodoWithTick, index: number) => {
    const { todos: todo, ticks: tick } = row;
    const onDelete = () => deleteTodo(row);
    if (todo.id === editingId) {
      return <TodoEditor todo={todo} onDelete={onDelete} onDone={() => stopEditing(todo.id)} />;
    }
    const onEdit = () => onEditing(todo.id);
    const editor = editors.get(todo.id) ?? null;
    return <TodoItem {...{ todo, tick, isShared, userId, editor, onEdit, onDelete }} isTabStop={index === tabStop} />;
  };

  return (
    <ul ref={list} className="todos" aria-label="Todos" onFocus={onFocus} onBlur={onBlur} onKeyDown={onKeyDown}>
      {rows.map((row, index) => (
        <li key={row.todos.id} data-todo={row.todos.id} data-done={row.ticks !== null}>
          {view(row, index)}
        </li>
      ))}
    </ul>
  );
}
