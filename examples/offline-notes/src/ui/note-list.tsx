// Owns: the list of notes beside the open one: search, pinned ones first.
import { useDeferredValue, useId, type KeyboardEvent, type RefObject } from "react";
import { Icon } from "./icons.tsx";
import { nameOf, search, type ShownNote } from "./queries.ts";
import { hrefOf } from "./route.ts";

interface NoteListProps {
  readonly shown: readonly ShownNote[];
  readonly openId: string | null;
  readonly words: string;
  readonly onWords: (words: string) => void;
  readonly searchField: RefObject<HTMLInputElement | null>;
}

export function NoteList({ shown, openId, words, onWords, searchField }: NoteListProps) {
  const found = search(shown, useDeferredValue(words));
  const pinned = found.filter(({ note }) => note.pinned);
  const others = found.filter(({ note }) => !note.pinned);
  return (
    <nav className="side" aria-label="Notes" onKeyDown={moveFocus}>
      <label className="search">
        <Icon name="search" />
        <span className="visually-hidden">Search notes</span>
        <input
          ref={searchField}
          type="search"
          placeholder="Search"
          value={words}
          onChange={(event) => onWords(event.target.value)}
        />
      </label>
      <p className="visually-hidden" role="status">
        {words.trim() === "" ? "" : `${found.length} found`}
      </p>
      {found.length === 0 && words.trim() !== "" ? (
        <p className="side-empty">No note has “{words.trim()}”.</p>
      ) : (
        <div className="side-lists">
          <Group name="Pinned" shown={pinned} openId={openId} />
          <Group name={pinned.length > 0 ? "Others" : null} shown={others} openId={openId} />
        </div>
      )}
    </nav>
  );
}

/** Arrow keys go from the search field through the notes. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>("input, a")];
  const at = stops.indexOf(event.target as HTMLElement);
  const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (at < 0 || next === undefined) return;
  event.preventDefault();
  next.focus();
}

function Group({ name, shown, openId }: Pick<NoteListProps, "shown" | "openId"> & { name: string | null }) {
  const heading = useId();
  if (shown.length === 0) return null;
  return (
    <section aria-labelledby={name === null ? undefined : heading} aria-label={name === null ? "All" : undefined}>
      {name === null ? null : <h2 id={heading}>{name}</h2>}
      <ul>
        {shown.map((item) => (
          <Item key={item.note.id} item={item} isOpen={item.note.id === openId} />
        ))}
      </ul>
    </section>
  );
}

function Item({ item: { note, text, files }, isOpen }: { item: ShownNote; isOpen: boolean }) {
  const name = nameOf(text);
  return (
    <li>
      <a href={hrefOf(note.id)} aria-current={isOpen ? "page" : undefined} data-note={note.id}>
        <span className="item-name">{name}</span>
        <span className="item-more">
          <time dateTime={new Date(note.editedAt).toISOString()}>{dayOf(note.editedAt)}</time>
          <span className="item-start">{startOf(text.body, name)}</span>
          {files.length === 0 ? null : (
            <span className="item-files">
              <Icon name="clip" />
              <span className="visually-hidden">Files: </span>
              {files.length}
            </span>
          )}
        </span>
      </a>
    </li>
  );
}

/** The beginning of the text, without the line that names the note. */
function startOf(body: string, name: string): string {
  const text = body.trim();
  return (text.startsWith(name) ? text.slice(name.length) : text).trim().slice(0, 90) || "No text";
}

function dayOf(ms: number): string {
  const day = new Date(ms);
  const isToday = day.toDateString() === new Date().toDateString();
  return isToday
    ? day.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
    : day.toLocaleDateString([], { day: "numeric", month: "short" });
}
