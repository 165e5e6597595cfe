// Owns: which todos are on the page, each at its place in the list: those in the range that is seen, and those that must not leave
// the page while it scrolls away from them (the focused one, the one that is being edited).
import { useState } from "react";
import type { TodoChoice } from "./queries.ts";
import type { TodoWindow, TodoWithTick } from "./todo-window.ts";
import type { RowRange } from "./visible-rows.ts";

export interface PlacedTodo {
  /** Its place among all chosen todos. */
  readonly index: number;
  readonly row: TodoWithTick;
}

interface Kept {
  readonly choice: TodoChoice | null;
  readonly todos: readonly PlacedTodo[];
}

/** In order of their places. Todos of `keptIds` stay as they were last seen while the window is elsewhere. */
export function usePlacedTodos(
  { choice, start, rows }: TodoWindow,
  range: RowRange,
  keptIds: readonly (string | null)[],
): readonly PlacedTodo[] {
  const [before, setBefore] = useState<Kept>({ choice: null, todos: [] });
  const all = rows.map((row, i): PlacedTodo => ({ index: start + i, row }));
  const isKept = ({ row }: PlacedTodo) => keptIds.includes(row.todos.id);
  const inWindow = all.filter(isKept);
  const isElsewhere = (todo: PlacedTodo) =>
    (todo.index < start || todo.index >= start + rows.length) &&
    inWindow.every(({ row }) => row.todos.id !== todo.row.todos.id);
  const elsewhere = choice === before.choice ? before.todos.filter((todo) => isKept(todo) && isElsewhere(todo)) : [];
  const kept: Kept = { choice, todos: [...inWindow, ...elsewhere] };
  if (!areSame(before, kept)) setBefore(kept);
  const seen = all.filter((todo) => isKept(todo) || (todo.index >= range.first && todo.index < range.end));
  return [...seen, ...elsewhere].sort((a, b) => a.index - b.index);
}

const areSame = (a: Kept, b: Kept): boolean =>
  a.choice === b.choice &&
  a.todos.length === b.todos.length &&
  a.todos.every(({ index, row }, i) => index === b.todos[i]?.index && row === b.todos[i].row);
