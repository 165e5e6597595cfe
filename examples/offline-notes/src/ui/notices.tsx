// Owns: how notices look.
import { useSyncExternalStore } from "react";
import { dismissNotice, onNotices, readNotices, type Notice } from "../notices.ts";
import { Icon } from "./icons.tsx";

export function Notices() {
  const notices = useSyncExternalStore(onNotices, readNotices);
  return (
    <section className="notices" aria-label="Notices">
      {notices.map((notice) => (
        <NoticeCard key={notice.id} notice={notice} />
      ))}
    </section>
  );
}

function NoticeCard({ notice: { id, title, reason, undo } }: { notice: Notice }) {
  const takeBack = () => {
    undo?.();
    dismissNotice(id);
  };
  return (
    <div className="notice" role={undo === undefined ? "alert" : "status"}>
      <div>
        <strong>{title}</strong>
        {reason === undefined ? null : <p>{reason}</p>}
      </div>
      {undo === undefined ? null : (
        <button type="button" className="button quiet" onClick={takeBack}>
          Undo
        </button>
      )}
      <button type="button" className="icon-button" aria-label={`Dismiss: ${title}`} onClick={() => dismissNotice(id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
