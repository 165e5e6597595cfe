// Owns: the name of the open list, its renaming and deleting. Everyone may try in a shared list; the server decides.
import { useMutation } from "plasma-sync/react";
import { useState, type FormEvent } from "react";
import { personName } from "../people.ts";
import { Icon } from "./icons.tsx";
import type { Filter } from "./queries.ts";
import { closeList } from "./route.ts";
import type { List } from "./sidebar.tsx";

interface ListHeadingProps {
  readonly list: List;
  readonly counts: Readonly<Record<Filter, number>>;
  readonly isMine: boolean;
}

export function ListHeading({ list, counts, isMine }: ListHeadingProps) {
  const [mode, setMode] = useState<"view" | "rename" | "delete">("view");
  const done = () => setMode("view");
  return (
    <header className="heading">
      <a className="back" href="#/" aria-label="All lists">
        <Icon name="back" />
      </a>
      <span className="dot large" data-color={list.color} aria-hidden="true" />
      <div className="heading-text">
        {mode === "rename" ? <Rename list={list} onDone={done} /> : <h2 title={list.name}>{list.name}</h2>}
        <p>
          {list.shared ? (isMine ? "Shared by you · " : `Shared by ${personName(list.ownerId)} · `) : ""}
          {counts.open} open of {counts.all}
        </p>
      </div>
      {mode === "view" ? (
        <div className="heading-actions">
          <button
            type="button"
            className="icon-button"
            aria-label="Rename this list"
            title="Rename"
            onClick={() => setMode("rename")}
          >
            <Icon name="edit" />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label="Delete this list"
            title="Delete"
            onClick={() => setMode("delete")}
          >
            <Icon name="trash" />
          </button>
        </div>
      ) : null}
      {mode === "delete" ? <Confirm list={list} count={counts.all} onDone={done} /> : null}
    </header>
  );
}

function Rename({ list, onDone }: { list: List; onDone: () => void }) {
  const { mutate: renameList } = useMutation("renameList");
  const [name, setName] = useState(list.name);
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "" && name.trim() !== list.name) void renameList({ id: list.id, name });
    onDone();
  };
  return (
    <form className="rename" onSubmit={save}>
      <input
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the person has just asked to type here
        autoFocus
        aria-label="Name of the list"
        maxLength={60}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onFocus={(event) => event.currentTarget.select()}
        onKeyDown={(event) => {
          if (event.key === "Escape") onDone();
        }}
      />
      <button type="submit" className="button small">
        Save
      </button>
      <button type="button" className="button small quiet" onClick={onDone}>
        Cancel
      </button>
    </form>
  );
}

function Confirm({ list, count, onDone }: { list: List; count: number; onDone: () => void }) {
  const { mutate: deleteList } = useMutation("deleteList");
  const remove = () => {
    void deleteList({ id: list.id });
    onDone();
    closeList();
  };
  return (
    <div className="confirm" role="alertdialog" aria-label={`Delete ${list.name}?`}>
      <span>
        {count === 0 ? "Delete this list?" : `Delete it with ${count === 1 ? "its todo" : `all ${count} todos`}?`}
      </span>
      <button type="button" className="button small danger" onClick={remove}>
        Delete
      </button>
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the safe answer first */}
      <button type="button" autoFocus className="button small quiet" onClick={onDone}>
        Keep
      </button>
    </div>
  );
}
