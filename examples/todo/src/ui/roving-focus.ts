// Owns: where the focus is in the list of todos, and where it goes when a todo leaves.
// Invariants:
//   1. One todo is in the tab order; arrow keys, j and k, Home and End choose which (a roving tabindex).
//   2. When the focused todo leaves (done under "open", deleted, refused), its neighbour gets the focus.
//   3. A todo that is not on the page yet gets the focus when it is there.
import { useEffect, useLayoutEffect, useRef, type FocusEvent, type RefObject } from "react";
import { useKeys } from "./app-keys.ts";
import type { PlacedTodo } from "./placed-todos.ts";
import { reveal } from "./visible-rows.ts";

interface RovingFocusOptions {
  /** Has or had the focus. */
  readonly active: ActiveTodo | null;
  readonly setActive: (active: ActiveTodo) => void;
  readonly list: RefObject<HTMLElement | null>;
  /** The todos on the page, in order. */
  readonly placed: readonly PlacedTodo[];
  readonly total: number;
  /** Height of a row. */
  readonly rowPx: number;
}

/** Which todo, and where it was. */
export interface ActiveTodo {
  readonly id: string;
  readonly index: number;
}

export function useRovingFocus({ active, setActive, list, placed, total, rowPx }: RovingFocusOptions) {
  const focused = useRef<ActiveTodo | null>(null);
  const wanted = useRef<number | null>(null);
  const at = placed.find(({ row }) => row.todos.id === active?.id)?.index ?? active?.index ?? -1;

  const focusAt = (index: number) => {
    const target = Math.min(Math.max(index, 0), total - 1);
    const found = placed.find((todo) => todo.index === target);
    const box = found === undefined ? null : checkboxOf(list.current, found.row.todos.id);
    wanted.current = box === null ? target : null;
    reveal(list.current, target, rowPx);
    box?.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    if (wanted.current !== null && placed.some(({ index }) => index === wanted.current)) return focusAt(wanted.current);
    if (focused.current === null || document.activeElement !== document.body) return;
    const { id, index } = focused.current;
    focusAt(placed.find(({ row }) => row.todos.id === id)?.index ?? index);
  });
  // Whoever scrolls on does not want to be called back.
  useEffect(() => {
    const forget = () => (wanted.current = null);
    window.addEventListener("wheel", forget, { passive: true });
    return () => window.removeEventListener("wheel", forget);
  }, []);
  useKeys({
    j: () => focusAt(at + 1),
    k: () => focusAt(at - 1),
    ArrowDown: () => focusAt(at + 1),
    ArrowUp: () => focusAt(at - 1),
    Home: () => focusAt(0),
    End: () => focusAt(total - 1),
  });

  const onFocus = ({ target }: FocusEvent) => {
    const id = target.closest<HTMLElement>("[data-todo]")?.dataset["todo"];
    const todo = placed.find(({ row }) => row.todos.id === id);
    if (todo === undefined) return;
    focused.current = { id: todo.row.todos.id, index: todo.index };
    setActive(focused.current);
  };
  // An element that leaves the page is no longer connected; then the focus must move on instead of being forgotten.
  const onBlur = ({ target }: FocusEvent) => {
    if (target.isConnected) focused.current = null;
  };
  /** After React has put the todo back in place of its editor. */
  const focusSoon = (id: string) => requestAnimationFrame(() => checkboxOf(list.current, id)?.focus());
  return { onFocus, onBlur, focusSoon };
}

const checkboxOf = (list: HTMLElement | null, id: string): HTMLInputElement | null =>
  list?.querySelector<HTMLInputElement>(`[data-todo="${CSS.escape(id)}"] input[type=checkbox]`) ?? null;
