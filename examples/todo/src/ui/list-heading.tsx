// Owns: the name of the open list, who is in it, and, for its owner, renaming and deleting.
import { useMutation } from "plasma-sync/react";
import { useState, type FormEvent } from "react";
import { namesOf, personName } from "../people.ts";
import { useKeys } from "./app-keys.ts";
import { Icon } from "./icons.tsx";
import { HereNow } from "./here.tsx";
import type { Counts } from "./queries.ts";
import { closeList } from "./route.ts";
import { ShareDialog } from "./share-dialog.tsx";
import type { List } from "./sidebar.tsx";

interface ListHeadingProps {
  readonly list: List;
  /** Who is in it, its owner first. */
  readonly people: readonly string[];
  /** Who else has it open now. */
  readonly here: readonly string[];
  /** Null until they are known. */
  readonly counts: Counts | null;
  readonly userId: string;
}

export function ListHeading({ list, people, here, counts, userId }: ListHeadingProps) {
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
          <span className="sharing">{sharingText(list, people, userId)}</span>
          {counts === null ? "…" : `${counts.open.toLocaleString("en")} open of ${counts.all.toLocaleString("en")}`}
        </p>
      </div>
      {mode === "view" ? (
        <div className="heading-actions">
          <HereNow people={here} />
          <Share list={list} people={people} userId={userId} />
          {list.ownerId === userId ? <OwnerActions onMode={setMode} /> : null}
        </div>
      ) : null}
      {mode === "delete" ? (
        <Confirm list={list} question={deleteQuestion(counts?.all ?? null, people.length > 1)} onDone={done} />
      ) : null}
    </header>
  );
}

function sharingText(list: List, people: readonly string[], userId: string): string {
  const others = people.filter((id) => id !== userId);
  if (list.ownerId !== userId) return `Shared by ${personName(list.ownerId)} · `;
  return others.length === 0 ? "" : `Shared with ${namesOf(others)} · `;
}

function Share({ list, people, userId }: Pick<ListHeadingProps, "list" | "people" | "userId">) {
  const [isOpen, setOpen] = useState(false);
  const isMine = list.ownerId === userId;
  useKeys({ s: () => setOpen(true) });
  return (
    <>
      <button
        type="button"
        className="share-button"
        aria-haspopup="dialog"
        title={isMine ? "Share this list (s)" : "Who is in this list (s)"}
        onClick={() => setOpen(true)}
      >
        {people.length > 1 ? <Faces people={people} /> : <Icon name="people" />}
        <span className="share-label">{isMine ? "Share" : "People"}</span>
      </button>
      <ShareDialog {...{ list, people, userId, isOpen }} onClose={() => setOpen(false)} />
    </>
  );
}

function Faces({ people }: { people: readonly string[] }) {
  return (
    <span className="faces" aria-hidden="true">
      {people.map((id) => (
        <span key={id} className="avatar small" data-user={id}>
          {id.charAt(0).toUpperCase()}
        </span>
      ))}
    </span>
  );
}

function OwnerActions({ onMode }: { onMode: (mode: "rename" | "delete") => void }) {
  return (
    <>
      <button
        type="button"
        className="icon-button"
        aria-label="Rename this list"
        title="Rename"
        onClick={() => onMode("rename")}
      >
        <Icon name="edit" />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label="Delete this list"
        title="Delete"
        onClick={() => onMode("delete")}
      >
        <Icon name="trash" />
      </button>
    </>
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

function deleteQuestion(count: number | null, isShared: boolean): string {
  const what = isShared ? "Delete it for everyone" : "Delete it";
  if (count === 0) return `${what}?`;
  if (count === null) return `${what}, with all its todos?`;
  return count === 1 ? `${what}, with its todo?` : `${what}, with all ${count.toLocaleString("en")} todos?`;
}

function Confirm({ list, question, onDone }: { list: List; question: string; onDone: () => void }) {
  const { mutate: deleteList } = useMutation("deleteList");
  const remove = () => {
    void deleteList({ id: list.id });
    onDone();
    closeList();
  };
  return (
    <div className="confirm" role="alertdialog" aria-label={`Delete ${list.name}?`}>
      <span>{question}</span>
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
