// Owns: the open list: its heading, filters, search, the field for a new todo, and the todos.
import { useMutation } from "plasma-sync/react";
import { useDeferredValue, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { TITLE_CHARS_MAX } from "../mutators.ts";
import { useKeys } from "./app-keys.ts";
import { useHere } from "./here.tsx";
import { ListHeading } from "./list-heading.tsx";
import { FILTERS, useFilterCounts, useTodos, type Filter } from "./queries.ts";
import type { List } from "./sidebar.tsx";
import { TodoList } from "./todo-list.tsx";

interface ListPaneProps {
  readonly list: List | null;
  /** Who is in the list. */
  readonly people: readonly string[];
  /** Of the query that found the list. */
  readonly status: string;
  readonly userId: string;
}

export function ListPane({ list, people, status, userId }: ListPaneProps) {
  if (list !== null) return <OpenList list={list} people={people} userId={userId} />;
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
  readonly userId: string;
}

function OpenList({ list, people, userId }: OpenListProps) {
  const [filter, setFilter] = useState<Filter>("all");
  const [search, setSearch] = useState("");
  const newTodo = useRef<HTMLInputElement>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const [editingId, setEditingId] = useState<string | null>(null);
  const here = useHere(list.id, userId, editingId);
  const counts = useFilterCounts(list.id);
  const { rows, status } = useTodos(list.id, filter, useDeferredValue(search));

  useKeys({
    n: () => newTodo.current?.focus(),
    "/": () => searchField.current?.focus(),
    "1": () => setFilter("all"),
    "2": () => setFilter("open"),
    "3": () => setFilter("done"),
  });
  const onSearchKey = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== "Escape") return;
    setSearch("");
    event.currentTarget.blur();
  };

  return (
    <main className="pane" data-color={list.color}>
      <ListHeading list={list} people={people} here={here.people} counts={counts} userId={userId} />
      <NewTodo listId={list.id} field={newTodo} />
      <div className="tools">
        <div className="filters" role="radiogroup" aria-label="Show">
          {FILTERS.map((name) => (
            <label key={name}>
              <input type="radio" name="filter" checked={filter === name} onChange={() => setFilter(name)} />
              <span>
                {LABELS[name]} <b>{counts[name]}</b>
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
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={onSearchKey}
        />
      </div>
      {rows.length === 0 && status !== "complete" ? <SkeletonTodos /> : null}
      {rows.length === 0 && status === "complete" ? <Nothing filter={filter} search={search.trim()} /> : null}
      <TodoList
        {...{ rows, userId, editingId }}
        isShared={people.length > 1}
        editors={here.editors}
        onEditing={setEditingId}
      />
    </main>
  );
}

const LABELS: Readonly<Record<Filter, string>> = { all: "All", open: "Open", done: "Done" };

function NewTodo({ listId, field }: { listId: string; field: React.RefObject<HTMLInputElement | null> }) {
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

function Nothing({ filter, search }: { filter: Filter; search: string }) {
  if (search !== "") {
    return (
      <p className="empty">
        <strong>No match.</strong> Nothing here is called “{search}”.
      </p>
    );
  }
  return (
    <p className="empty">
      <strong>{EMPTY[filter][0]}</strong> {EMPTY[filter][1]}
    </p>
  );
}

const EMPTY: Readonly<Record<Filter, readonly [string, string]>> = {
  all: ["An empty list.", "Write the first todo above."],
  open: ["All done.", "Enjoy the afternoon."],
  done: ["Nothing done yet.", "The first one is the hardest."],
};

function SkeletonTodos() {
  return (
    <div className="skeletons" role="status" aria-label="Loading todos">
      {[62, 48, 71, 55, 66, 40, 58].map((width) => (
        <span key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
