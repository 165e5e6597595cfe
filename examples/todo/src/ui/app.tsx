// Owns: the frame of the app: top bar, lists beside the open list, notices and help.
import { useState } from "react";
import { useKeys } from "./app-keys.ts";
import { GoneList } from "./gone-list.tsx";
import { Help } from "./help.tsx";
import { Icon } from "./icons.tsx";
import { ListPane } from "./list-pane.tsx";
import { Notices } from "./notices.tsx";
import { useCounts, useLists, useMembers } from "./queries.ts";
import { openList, useListId } from "./route.ts";
import { Sidebar, type List } from "./sidebar.tsx";
import { SyncBadge } from "./sync-badge.tsx";
import { UserPicker } from "./user-picker.tsx";

export function App({ userId }: { userId: string }) {
  const { rows: lists, status } = useLists(userId);
  const members = useMembers();
  const counts = useCounts();
  const routeId = useListId();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const shown = routeId === null ? lists[0] : lists.find((list) => list.id === routeId);
  const lastShown = useLast(shown);

  const people = (shown === undefined ? undefined : members.get(shown.id)) ?? [];

  useKeys({
    "?": () => setHelpOpen(true),
    "[": () => step(-1),
    "]": () => step(1),
  });
  function step(by: number) {
    const at = lists.findIndex((list) => list.id === shown?.id);
    const next = lists[(at + by + lists.length) % lists.length];
    if (next !== undefined) openList(next.id);
  }

  return (
    <div className="app" data-view={routeId === null ? "lists" : "list"}>
      <header className="topbar">
        <h1 className="brand">
          <span className="brand-mark">
            <Icon name="check" />
          </span>
          <span className="brand-name">Todo</span>
        </h1>
        <SyncBadge isLoading={status !== "complete"} />
        <button
          type="button"
          className="icon-button"
          aria-label="Help and keys"
          title="Help and keys (?)"
          onClick={() => setHelpOpen(true)}
        >
          <Icon name="help" />
        </button>
        <UserPicker userId={userId} />
      </header>
      <Sidebar {...{ lists, status, members, counts, userId }} shownId={shown?.id ?? null} />
      {shown === undefined && status === "complete" && routeId !== null ? (
        <GoneList list={lastShown?.id === routeId ? lastShown : null} userId={userId} />
      ) : (
        <ListPane key={shown?.id} list={shown ?? null} {...{ people, counts, status, userId }} />
      )}
      <Notices />
      <Help isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </div>
  );
}

/** The list that is open, or was: to speak of it when it is gone. */
function useLast(shown: List | undefined): List | undefined {
  const [last, setLast] = useState(shown);
  if (shown === undefined || shown === last) return last;
  setLast(shown);
  return shown;
}
