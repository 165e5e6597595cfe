// Owns: who is in a list: its owner adds and removes people, everyone else sees who they are and may leave.
import { usePlasma } from "plasma-sync/react";
import { useEffect, useRef, useState } from "react";
import { PEOPLE, personName } from "../people.ts";
import { Icon } from "./icons.tsx";
import { closeList } from "./route.ts";
import type { List } from "./sidebar.tsx";

interface ShareDialogProps {
  readonly list: List;
  /** Who is in it. */
  readonly people: readonly string[];
  readonly userId: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export function ShareDialog({ isOpen, onClose, ...sharing }: ShareDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} className="share" aria-labelledby="share-title" onClose={onClose}>
      {isOpen ? <Sharing {...sharing} onClose={onClose} /> : null}
    </dialog>
  );
}

function Sharing({ list, people, userId, onClose }: Omit<ShareDialogProps, "isOpen">) {
  const isMine = list.ownerId === userId;
  // The order does not depend on who is in: a person who is added or removed keeps their row, and its button the focus.
  const inOrder = [list.ownerId, ...PEOPLE.map(({ id }) => id).filter((id) => id !== list.ownerId)];
  const shown = isMine ? inOrder : inOrder.filter((id) => people.includes(id));
  return (
    <>
      <header>
        <h2 id="share-title">{isMine ? `Share “${list.name}”` : `People in “${list.name}”`}</h2>
        <button type="button" className="icon-button" aria-label="Close" title="Close (Esc)" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <ul aria-label="People">
        {shown.map((id) => (
          <li key={id} data-in={people.includes(id)}>
            <span className="avatar" data-user={id} aria-hidden="true">
              {id.charAt(0).toUpperCase()}
            </span>
            <span className="person">
              <span>{id === userId ? `${personName(id)} (you)` : personName(id)}</span>
              <small>{id === list.ownerId ? "Owner" : people.includes(id) ? "In this list" : "Not in this list"}</small>
            </span>
            {isMine && id !== userId ? <Membership list={list} personId={id} isIn={people.includes(id)} /> : null}
          </li>
        ))}
      </ul>
      {isMine ? (
        <p>
          Everyone in the list can add, tick, edit and delete its todos. Once removed, a person no longer sees any of
          it.
        </p>
      ) : (
        <Leave list={list} />
      )}
    </>
  );
}

function Membership({ list, personId, isIn }: { list: List; personId: string; isIn: boolean }) {
  const client = usePlasma();
  const change = () => {
    const args = { listId: list.id, userId: personId };
    void (isIn ? client.mutate.removeMember(args) : client.mutate.addMember(args));
  };
  return (
    <button type="button" className={isIn ? "button small quiet" : "button small"} onClick={change}>
      {isIn ? "Remove" : "Add"}
      <span className="visually-hidden"> {personName(personId)}</span>
    </button>
  );
}

function Leave({ list }: { list: List }) {
  const client = usePlasma();
  const [isSure, setSure] = useState(false);
  const leave = () => {
    void client.mutate.leaveList({ id: list.id });
    closeList();
  };
  if (!isSure) {
    return (
      <footer>
        <button type="button" className="button small quiet danger-text" onClick={() => setSure(true)}>
          Leave this list
        </button>
      </footer>
    );
  }
  return (
    <footer>
      <span role="status">Only {personName(list.ownerId)} can add you again.</span>
      <button type="button" className="button small danger" onClick={leave}>
        Leave
      </button>
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the safe answer first */}
      <button type="button" autoFocus className="button small quiet" onClick={() => setSure(false)}>
        Stay
      </button>
    </footer>
  );
}
