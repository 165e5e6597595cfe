// Owns: moving through the todos with the keyboard, and where focus goes when one leaves the list.
// Invariants:
//   1. One todo is in the tab order; arrow keys, j and k choose which (a roving tabindex).
//   2. When the focused todo leaves (done under "open", deleted, refused), its neighbour gets the focus.
import { useLayoutEffect, useRef, useState, type FocusEvent, type KeyboardEvent } from "react";
import { useKeys } from "./app-keys.ts";
import { useDeleteTodo } from "./delete-todo.ts";
import type { TodoWithTick } from "./queries.ts";
import { TodoEditor } from "./todo-editor.tsx";
import { TodoItem } from "./todo-item.tsx";

interface TodoListProps {
  readonly rows: readonly TodoWithTick[];
  readonly isShared: boolean;
  readonly userId: string;
}

export function TodoList({ rows, isShared, userId }: TodoListProps) {
  const deleteTodo = useDeleteTodo();
  const element = useRef<HTMLUListElement>(null);
  const [activeId, setActiveId] = useState<string | null>(null);
  const [editingId, setEditingId] = useState<string | null>(null);
  const focused = useRef<{ id: string; index: number } | null>(null);
  const at = rows.findIndex(({ todos }) => todos.id === activeId);
  const tabStop = Math.max(at, 0);

  const focusAt = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (row !== undefined) checkboxOf(element.current, row.todos.id)?.focus();
  };

  useLayoutEffect(() => {
    if (focused.current === null || document.activeElement !== document.body) return;
    const { id, index } = focused.current;
    const still = rows.findIndex(({ todos }) => todos.id === id);
    focusAt(still === -1 ? index : still);
  });

  useKeys({
    j: () => focusAt(at + 1),
    k: () => focusAt(at - 1),
    ArrowDown: () => focusAt(at + 1),
    ArrowUp: () => focusAt(at - 1),
  });

  const onFocus = ({ target }: FocusEvent) => {
    const id = target.closest<HTMLElement>("[data-todo]")?.dataset["todo"];
    if (id === undefined) return;
    focused.current = { id, index: rows.findIndex(({ todos }) => todos.id === id) };
    setActiveId(id);
  };
  // An element that leaves the page is no longer connected; then the focus must move on instead of being forgotten.
  const onBlur = ({ target }: FocusEvent) => {
    if (target.isConnected) focused.current = null;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at];
    if (row === undefined || !(event.target instanceof HTMLInputElement) || event.target.type !== "checkbox") return;
    if (event.key === "Enter" || event.key === "e") setEditingId(row.todos.id);
    else if (event.key === "Delete" || event.key === "Backspace") deleteTodo(row);
    else return;
    event.preventDefault();
  };
  const stopEditing = (id: string) => {
    setEditingId(null);
    // After React has put the todo back in place of the editor.
    requestAnimationFrame(() => checkboxOf(element.current, id)?.focus());
  };

  return (
    <ul ref={element} className="todos" aria-label="Todos" onFocus={onFocus} onBlur={onBlur} onKeyDown={onKeyDown}>
      {rows.map((row, index) => {
        const { todos: todo, ticks: tick } = row;
        return (
          <li key={todo.id} data-todo={todo.id} data-done={tick !== null}>
            {todo.id === editingId ? (
              <TodoEditor todo={todo} onDelete={() => deleteTodo(row)} onDone={() => stopEditing(todo.id)} />
            ) : (
              <TodoItem
                todo={todo}
                tick={tick}
                isTabStop={index === tabStop}
                isShared={isShared}
                userId={userId}
                onEdit={() => setEditingId(todo.id)}
                onDelete={() => deleteTodo(row)}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}

const checkboxOf = (list: HTMLElement | null, id: string): HTMLInputElement | null | undefined =>
  list?.querySelector<HTMLInputElement>(`[data-todo="${CSS.escape(id)}"] input[type=checkbox]`);
