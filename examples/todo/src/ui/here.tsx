// Owns: who has the open list on their screen now, and which todo they are editing. What others show of themselves is their own
// word: it is checked before it is used. The room lets in only who is in the list (src/worker/sync-options.ts).
import { usePresence } from "plasma-sync/react";
import { useMemo } from "react";
import { isPerson, personName } from "../people.ts";
import { COORDINATOR } from "../session.ts";

export interface Here {
  /** Others, each once, however many windows they have. */
  readonly people: readonly string[];
  /** Todo id → who is editing it. */
  readonly editors: ReadonlyMap<string, string>;
}

/** Shows others that this person has the list open, and what they are editing; and who else does. */
export function useHere(listId: string, userId: string, editing: string | null): Here {
  const { peers } = usePresence({
    url: COORDINATOR,
    room: `list:${listId}`,
    token: userId,
    userInfo: { userId, editing },
  });
  return useMemo(() => {
    const people = new Set<string>();
    const editors = new Map<string, string>();
    for (const { userInfo } of peers) {
      const { userId: id, editing: todoId } = (userInfo ?? {}) as {
        readonly userId?: unknown;
        readonly editing?: unknown;
      };
      if (!isPerson(id) || id === userId) continue;
      people.add(id);
      if (typeof todoId === "string") editors.set(todoId, id);
    }
    return { people: [...people].sort(), editors };
  }, [peers, userId]);
}

export function HereNow({ people }: { people: readonly string[] }) {
  return (
    <ul className="here" aria-label="Here now" aria-live="polite">
      {people.map((id) => (
        <li key={id} title={`${personName(id)} is looking at this list`}>
          <span className="avatar" data-user={id} aria-hidden="true">
            {id.charAt(0).toUpperCase()}
          </span>
          <span className="visually-hidden">{personName(id)} is here</span>
        </li>
      ))}
    </ul>
  );
}
