// Owns: the lists to choose from, with how much is open in each, and the making of a new one.
import { usePlasma } from "plasma-sync/react";
import { useState, type FormEvent } from "react";
import type { InferRow } from "plasma-sync";
import { namesOf } from "../people.ts";
import { LIST_COLORS, type lists as listsTable } from "../schema.ts";
import { Icon } from "./icons.tsx";
import type { Counts } from "./queries.ts";
import { listHref, openList } from "./route.ts";

export type List = InferRow<typeof listsTable>;

interface SidebarProps {
  readonly lists: readonly List[];
  readonly status: string;
  /** List id → the people in it. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  /** List id → how many todos there are; null until it is known. */
  readonly counts: ReadonlyMap<string, Counts> | null;
  readonly shownId: string | null;
  readonly userId: string;
}

export function Sidebar({ lists, status, members, counts, shownId, userId }: SidebarProps) {
  const isWaiting = lists.length === 0 && status !== "complete";
  const mine = lists.filter((list) => list.ownerId === userId);
  const others = lists.filter((list) => list.ownerId !== userId);
  const link = (list: List) => {
    const guests = (members.get(list.id) ?? []).filter((id) => id !== list.ownerId);
    return (
      <li key={list.id}>
        <a href={listHref(list.id)} aria-current={list.id === shownId ? "page" : undefined}>
          <span className="dot" data-color={list.color} aria-hidden="true" />
          <span className="name">{list.name}</span>
          {list.ownerId === userId && guests.length > 0 ? <SharedMark guests={guests} /> : null}
          {counts === null ? null : <OpenCount count={counts.get(list.id)?.open ?? 0} />}
        </a>
      </li>
    );
  };
  const group = (title: string, inGroup: readonly List[]) =>
    inGroup.length === 0 ? null : (
      <section aria-label={title}>
        <h2>{title}</h2>
        <ul>{inGroup.map(link)}</ul>
      </section>
    );
  return (
    <nav className="sidebar" aria-label="Lists">
      {isWaiting ? (
        <SkeletonLists />
      ) : (
        <>
          {group("My lists", mine)}
          {group("Shared with me", others)}
        </>
      )}
      <NewList count={mine.length} />
    </nav>
  );
}

function OpenCount({ count }: { count: number }) {
  const text = count.toLocaleString("en");
  return (
    <span className="count" aria-label={`${text} open`}>
      {text}
    </span>
  );
}

function SharedMark({ guests }: { guests: readonly string[] }) {
  const text = `Shared with ${namesOf(guests)}`;
  return (
    <span className="shared-mark" title={text}>
      <Icon name="people" />
      <span className="visually-hidden">, {text}</span>
    </span>
  );
}

function NewList({ count }: { count: number }) {
  const client = usePlasma();
  const [name, setName] = useState("");
  const create = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return;
    const id = client.newId();
    const color = LIST_COLORS[count % LIST_COLORS.length] ?? "clay";
    void client.mutate.createList({ id, name, color }).then(() => openList(id));
    setName("");
  };
  return (
    <form className="new-list" onSubmit={create}>
      <input
        aria-label="Name of the new list"
        placeholder="New list"
        value={name}
        maxLength={60}
        onChange={(event) => setName(event.target.value)}
      />
      <div className="new-list-more" data-open={name !== ""}>
        <button type="submit" className="button small" disabled={name.trim() === ""}>
          Add list
        </button>
      </div>
    </form>
  );
}

function SkeletonLists() {
  return (
    <div className="skeletons" aria-hidden="true">
      {[68, 52, 74, 60, 45, 70].map((width) => (
        <span key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
