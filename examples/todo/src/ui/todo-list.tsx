// Owns: the todos of the open list, the keys that act on one, and which one is being edited.
import { useState, type KeyboardEvent } from "react";
import { useDeleteTodo } from "./delete-todo.ts";
import type { TodoWithTick } from "./queries.ts";
import { useRovingFocus } from "./roving-focus.ts";
import { TodoEditor } from "./todo-editor.tsx";
import { TodoItem } from "./todo-item.tsx";

interface TodoListProps {
  readonly rows: readonly TodoWithTick[];
  readonly isShared: boolean;
  readonly userId: string;
}

export function TodoList({ rows, isShared, userId }: TodoListProps) {
  const deleteTodo = useDeleteTodo();
  const { list, active, tabStop, onFocus, onBlur, focusSoon } = useRovingFocus(rows);
  const [editingId, setEditingId] = useState<string | null>(null);

  const onKeyDown = (event: KeyboardEvent) => {
    if (active === undefined || !(event.target instanceof HTMLInputElement) || event.target.type !== "checkbox") return;
    if (event.key === "Enter" || event.key === "e") setEditingId(active.todos.id);
    else if (event.key === "Delete" || event.key === "Backspace") deleteTodo(active);
    else return;
    event.preventDefault();
  };
  const stopEditing = (id: string) => {
    setEditingId(null);
    focusSoon(id);
  };
  const view = (row: TodoWithTick, index: number) => {
    const { todos: todo, ticks: tick } = row;
    const onDelete = () => deleteTodo(row);
    if (todo.id === editingId) {
      return <TodoEditor todo={todo} onDelete={onDelete} onDone={() => stopEditing(todo.id)} />;
    }
    const onEdit = () => setEditingId(todo.id);
    return <TodoItem {...{ todo, tick, isShared, userId, onEdit, onDelete }} isTabStop={index === tabStop} />;
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
