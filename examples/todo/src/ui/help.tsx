// Owns: the help: keys, and what to try.
import { useEffect, useRef } from "react";

const KEYS: readonly (readonly [string, string])[] = [
  ["j k ↓ ↑", "Move through todos"],
  ["Home End", "First, last todo"],
  ["Space", "Done or open again"],
  ["e or Enter", "Edit"],
  ["Delete", "Delete the todo"],
  ["n", "New todo"],
  ["/", "Search"],
  ["s", "Share the list"],
  ["1 2 3", "All, open, done"],
  ["[ ]", "Previous list, next list"],
  ["Esc", "Cancel"],
];

const TRIES: readonly string[] = [
  "Open a second window as Grace (?user=grace). Share a list with her here, and tick something there.",
  "Watch the top of a list that both of you have open: you see each other there, and what the other is editing.",
  "Remove her again while she has the list open: it leaves her screen, and what you add later never reaches her.",
  "As Grace, go offline and edit a todo of the list. Remove her, let her come back: the app says why the edit is gone.",
  "Add a todo whose title contains the word “password”. Only the server knows that rule.",
];

export function Help({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} className="help" aria-labelledby="help-title" onClose={onClose}>
      <form method="dialog">
        <h2 id="help-title">Keys</h2>
        <dl>
          {KEYS.map(([key, text]) => (
            <div key={key}>
              <dt>{key.split(" ").map((part) => (part === "or" ? " or " : <kbd key={part}>{part}</kbd>))}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        <h2>Things to try</h2>
        <ul>
          {TRIES.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
        <button type="submit" className="button">
          Close
        </button>
      </form>
    </dialog>
  );
}
