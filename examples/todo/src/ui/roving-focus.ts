// Owns: where the focus is in the list of todos, and where it goes when a todo leaves.
// Invariants:
//   1. One todo is in the tab order; arrow keys, j and k choose which (a roving tabindex).
//   2. When the focused todo leaves (done under "open", deleted, refused), its neighbour gets the focus.
import { useLayoutEffect, useRef, useState, type FocusEvent } from "react";
import { useKeys } from "./app-keys.ts";
import type { TodoWithTick } from "./queries.ts";

/** `tabStop` is the index of the todo in the tab order, `active` the todo that has or had the focus. */
export function useRovingFocus(rows: readonly TodoWithTick[]) {
  const list = useRef<HTMLUListElement>(null);
  const [activeId, setActiveId] = useState<string | null>(null);
  const focused = useRef<{ id: string; index: number } | null>(null);
  const indexOf = (id: string | null) => rows.findIndex(({ todos }) => todos.id === id);
  const at = indexOf(activeId);

  const focusAt = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (row !== undefined) checkboxOf(list.current, row.todos.id)?.focus();
  };
  useLayoutEffect(() => {
    if (focused.current === null || document.activeElement !== document.body) return;
    const still = indexOf(focused.current.id);
    focusAt(still === -1 ? focused.current.index : still);
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
    focused.current = { id, index: indexOf(id) };
    setActiveId(id);
  };
  // An element that leaves the page is no longer connected; then the focus must move on instead of being forgotten.
  const onBlur = ({ target }: FocusEvent) => {
    if (target.isConnected) focused.current = null;
  };
  /** After React has put the todo back in place of its editor. */
  const focusSoon = (id: string) => requestAnimationFrame(() => checkboxOf(list.current, id)?.focus());
  return { list, active: rows[at], tabStop: Math.max(at, 0), onFocus, onBlur, focusSoon };
}

const checkboxOf = (list: HTMLElement | null, id: string): HTMLInputElement | null | undefined =>
  list?.querySelector<HTMLInputElement>(`[data-todo="${CSS.escape(id)}"] input[type=checkbox]`);
