// Owns: the window of todos on screen: a few hundred of a list that may have a hundred thousand, each with its tick.
// The todos are asked for alone, in the order of a declared index, and their ticks by id: so both are answered from a few pages on
// the disk before the tables are in memory.
import { desc, inArray, type Db, type InferRow, type LiveQueryStatus } from "plasma-sync";
import { usePlasma } from "plasma-sync/react";
import { useLayoutEffect, useState } from "react";
import { ticks, todos } from "../schema.ts";
import { isChosen, type TodoChoice } from "./queries.ts";

/** Todos in a window: some screens above and below what is seen. */
const WINDOW_ROWS = 300;
/** How far the window moves at once. */
const WINDOW_STEP = 100;
/** Todos above those on the page that the window has at least. */
const WINDOW_MARGIN = 50;

/** Where the window begins that has the todos on the page, from `first` on. */
export const windowStart = (first: number): number =>
  Math.max(0, Math.floor((first - WINDOW_MARGIN) / WINDOW_STEP) * WINDOW_STEP);

export interface TodoWithTick {
  readonly todos: InferRow<typeof todos>;
  readonly ticks: InferRow<typeof ticks> | null;
}

export interface TodoWindow {
  /** What these were chosen by. */
  readonly choice: TodoChoice | null;
  /** The place of the first of `rows` among all chosen todos. */
  readonly start: number;
  readonly rows: readonly TodoWithTick[];
  readonly status: LiveQueryStatus;
}

const LOADING: TodoWindow = { choice: null, start: 0, rows: [], status: "loading" };

/**
 * The chosen todos from `start` on, newest first. While another window loads, the one before stays, at its place. `choice` is the
 * same object as long as it says the same.
 */
export function useTodoWindow(choice: TodoChoice, start: number): TodoWindow {
  const { db } = usePlasma();
  const [shown, setShown] = useState(LOADING);
  // Before the paint: what is in memory shows at once.
  useLayoutEffect(() => watchWindow(db, { choice, start }, setShown), [db, choice, start]);
  return shown;
}

interface Wanted {
  readonly choice: TodoChoice;
  readonly start: number;
}

function watchWindow(db: Db, { choice, start }: Wanted, onWindow: (window: TodoWindow) => void): () => void {
  const live = db
    .select()
    .from(todos)
    .where(isChosen(choice))
    .orderBy(desc(todos.createdAt))
    .limit(WINDOW_ROWS)
    .offset(start)
    .live();
  let rows: readonly InferRow<typeof todos>[] = [];
  const watch = watchTicks(db, (tickByID) =>
    onWindow({
      choice,
      start,
      rows: rows.map((todo) => ({ todos: todo, ticks: tickByID.get(todo.id) ?? null })),
      status: live.status,
    }),
  );
  const unsubscribe = live.subscribe((next) => {
    rows = next;
    watch.of(rows.map(({ id }) => id));
  });
  return () => {
    unsubscribe();
    watch.end();
  };
}

type TicksByID = ReadonlyMap<string, InferRow<typeof ticks>>;

/** Watches the ticks of changing sets of todos; each set is told at least once. */
function watchTicks(db: Db, onTicks: (ticksByID: TicksByID) => void) {
  let end = () => {};
  return {
    of: (ids: readonly string[]) => {
      const endBefore = end;
      end = db
        .select()
        .from(ticks)
        .where(inArray(ticks.id, ids))
        .live()
        .subscribe((rows) => onTicks(new Map(rows.map((tick) => [tick.id, tick]))));
      endBefore();
    },
    end: () => end(),
  };
}
