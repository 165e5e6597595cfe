// Owns: the lists to choose from, with how much is open in each, and the making of a new one.
import { usePlasma } from "plasma-sync/react";
import { useState, type FormEvent } from "react";
import type { InferRow } from "plasma-sync";
import { LIST_COLORS, type lists as listsTable } from "../schema.ts";
import { listHref, openList } from "./route.ts";

export type List = InferRow<typeof listsTable>;

interface SidebarProps {
  readonly lists: readonly List[];
  readonly status: string;
  readonly openCounts: ReadonlyMap<string, number>;
  readonly shownId: string | null;
  readonly userId: string;
}

export function Sidebar({ lists, status, openCounts, shownId, userId }: SidebarProps) {
  const isWaiting = lists.length === 0 && status !== "complete";
  const group = (title: string, members: readonly List[]) => (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul>
        {members.map((list) => (
          <li key={list.id}>
            <a href={listHref(list.id)} aria-current={list.id === shownId ? "page" : undefined}>
              <span className="dot" data-color={list.color} aria-hidden="true" />
              <span className="name">{list.name}</span>
              <span className="count" aria-label={`${openCounts.get(list.id) ?? 0} open`}>
                {openCounts.get(list.id) ?? 0}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
  return (
    <nav className="sidebar" aria-label="Lists">
      {isWaiting ? (
        <SkeletonLists />
      ) : (
        <>
          {group(
            "Private",
            lists.filter((list) => !list.shared),
          )}
          {group(
            "Shared with everyone",
            lists.filter((list) => list.shared),
          )}
        </>
      )}
      <NewList count={lists.filter((list) => list.ownerId === userId).length} />
    </nav>
  );
}

function NewList({ count }: { count: number }) {
  const client = usePlasma();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const create = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return;
    const id = client.newId();
    const color = LIST_COLORS[count % LIST_COLORS.length] ?? "clay";
    void client.mutate.createList({ id, name, color, shared }).then(() => openList(id));
    setName("");
    setShared(false);
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
        <label>
          <input type="checkbox" checked={shared} onChange={(event) => setShared(event.target.checked)} /> Shared
        </label>
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
