// Owns: the frame of the app: top bar, lists beside the open list, notices and help.
import { useState } from "react";
import { useKeys } from "./app-keys.ts";
import { Help } from "./help.tsx";
import { Icon } from "./icons.tsx";
import { ListPane } from "./list-pane.tsx";
import { Notices } from "./notices.tsx";
import { useLists, useOpenCounts } from "./queries.ts";
import { openList, useListId } from "./route.ts";
import { Sidebar } from "./sidebar.tsx";
import { SyncBadge } from "./sync-badge.tsx";
import { UserPicker } from "./user-picker.tsx";

export function App({ userId }: { userId: string }) {
  const { rows: lists, status } = useLists();
  const openCounts = useOpenCounts();
  const routeId = useListId();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const shown = lists.find((list) => list.id === routeId) ?? lists[0];

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
      <Sidebar lists={lists} status={status} openCounts={openCounts} shownId={shown?.id ?? null} userId={userId} />
      <ListPane key={shown?.id} list={shown ?? null} status={status} userId={userId} />
      <Notices />
      <Help isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </div>
  );
}
