// Owns: how notices look. They stay until dismissed.
import { useSyncExternalStore } from "react";
import { dismissNotice, onNotices, readNotices } from "../notices.ts";
import { Icon } from "./icons.tsx";

export function Notices() {
  const notices = useSyncExternalStore(onNotices, readNotices);
  return (
    <section className="notices" aria-label="Refused changes">
      {notices.map(({ id, title, reason }) => (
        <div key={id} className="notice" role="alert">
          <div>
            <strong>{title}</strong>
            <p>{reason}</p>
          </div>
          <button
            type="button"
            className="icon-button"
            aria-label={`Dismiss: ${title}`}
            onClick={() => dismissNotice(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </section>
  );
}
