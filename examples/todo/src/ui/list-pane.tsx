// Owns: the open list: its heading, filters, search, the field for a new todo, and the todos.
import { useMutation } from "plasma-sync/react";
import { useDeferredValue, useMemo, useRef, useState, type FormEvent, type KeyboardEvent, type RefObject } from "react";
import { TITLE_CHARS_MAX } from "../mutators.ts";
import { useKeys } from "./app-keys.ts";
import { useHere } from "./here.tsx";
import { ListHeading } from "./list-heading.tsx";
import { SkeletonTodos } from "./no-todos.tsx";
import { FILTERS, NO_TODOS, type Counts, type Filter, type TodoChoice } from "./queries.ts";
import type { List } from "./sidebar.tsx";
import { TodoList } from "./todo-list.tsx";
import { reveal } from "./visible-rows.ts";

interface ListPaneProps {
  readonly list: List | null;
  /** Who is in the list. */
  readonly people: readonly string[];
  /** List id → how many todos there are; null until it is known. */
  readonly counts: ReadonlyMap<string, Counts> | null;
  /** Of the query that found the list. */
  readonly status: string;
  readonly userId: string;
}

export function ListPane({ list, people, counts, status, userId }: ListPaneProps) {
  if (list !== null) {
    const ofList = counts === null ? null : (counts.get(list.id) ?? NO_TODOS);
    return <OpenList list={list} people={people} counts={ofList} userId={userId} />;
  }
  return (
    <main className="pane">
      {status === "complete" ? (
        <p className="empty">
          <strong>No lists yet.</strong> Make one on the left.
        </p>
      ) : (
        <SkeletonTodos />
      )}
    </main>
  );
}

interface OpenListProps {
  readonly list: List;
  readonly people: readonly string[];
  readonly counts: Counts | null;
  readonly userId: string;
}

function OpenList({ list, people, counts, userId }: OpenListProps) {
  const [filter, setFilter] = useState<Filter>("all");
  const [search, setSearch] = useState("");
  const newTodo = useRef<HTMLInputElement>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const [editingId, setEditingId] = useState<string | null>(null);
  const here = useHere(list.id, userId, editingId);
  const searched = useDeferredValue(search);
  const choice = useMemo(
    (): TodoChoice => ({ listId: list.id, filter, search: searched }),
    [list.id, filter, searched],
  );
  const pane = useRef<HTMLElement>(null);
  const show = (change: Change) => {
    if (change.filter !== undefined) setFilter(change.filter);
    if (change.search !== undefined) setSearch(change.search);
    // Other todos are read from the first on.
    reveal(pane.current?.querySelector<HTMLElement>(".todos") ?? null, 0, 0);
  };

  useKeys({
    n: () => newTodo.current?.focus(),
    "/": () => searchField.current?.focus(),
    "1": () => show({ filter: "all" }),
    "2": () => show({ filter: "open" }),
    "3": () => show({ filter: "done" }),
  });
  return (
    <main ref={pane} className="pane" data-color={list.color} data-scroller>
      <ListHeading list={list} people={people} here={here.people} counts={counts} userId={userId} />
      <NewTodo listId={list.id} field={newTodo} />
      <Tools {...{ filter, search, counts, searchField }} onShow={show} />
      <TodoList
        {...{ choice, userId, editingId }}
        // What a search finds is not counted: as many are looked for as the person scrolls to.
        total={searched.trim() === "" ? (counts?.[filter] ?? null) : null}
        isShared={people.length > 1}
        editors={here.editors}
        onEditing={setEditingId}
      />
    </main>
  );
}

interface Change {
  readonly filter?: Filter;
  readonly search?: string;
}

interface ToolsProps {
  readonly filter: Filter;
  readonly search: string;
  readonly counts: Counts | null;
  readonly searchField: RefObject<HTMLInputElement | null>;
  readonly onShow: (change: Change) => void;
}

function Tools({ filter, search, counts, searchField, onShow }: ToolsProps) {
  const onSearchKey = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== "Escape") return;
    onShow({ search: "" });
    event.currentTarget.blur();
  };

  return (
    <div className="tools">
      <div className="filters" role="radiogroup" aria-label="Show">
        {FILTERS.map((name) => (
          <label key={name}>
            <input type="radio" name="filter" checked={filter === name} onChange={() => onShow({ filter: name })} />
            <span>
              {LABELS[name]} <b>{counts === null ? "…" : counts[name].toLocaleString("en")}</b>
            </span>
          </label>
        ))}
      </div>
      <input
        ref={searchField}
        className="search"
        type="search"
        aria-label="Search in this list"
        placeholder="Search"
        value={search}
        onChange={(event) => onShow({ search: event.target.value })}
        onKeyDown={onSearchKey}
      />
    </div>
  );
}

const LABELS: Readonly<Record<Filter, string>> = { all: "All", open: "Open", done: "Done" };

function NewTodo({ listId, field }: { listId: string; field: RefObject<HTMLInputElement | null> }) {
  const { mutate: createTodo } = useMutation("createTodo");
  const [title, setTitle] = useState("");
  const create = (event: FormEvent) => {
    event.preventDefault();
    if (title.trim() === "") return;
    void createTodo({ listId, title });
    setTitle("");
  };
  return (
    <form className="new-todo" onSubmit={create}>
      <input
        ref={field}
        aria-label="New todo"
        placeholder="Add a todo"
        enterKeyHint="done"
        autoComplete="off"
        maxLength={TITLE_CHARS_MAX}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <button type="submit" className="button" disabled={title.trim() === ""}>
        Add
      </button>
    </form>
  );
}
