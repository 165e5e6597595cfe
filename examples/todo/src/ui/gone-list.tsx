// Owns: what stands in place of a list that is not there any more: deleted, no longer shared, or never seen here.
import { personName } from "../people.ts";
import { Icon } from "./icons.tsx";
import type { List } from "./sidebar.tsx";

interface GoneListProps {
  /** As it was last seen on this page; null when it never was. */
  readonly list: List | null;
  readonly userId: string;
}

export function GoneList({ list, userId }: GoneListProps) {
  const { title, text } = describe(list, userId);
  return (
    <main className="pane">
      <div className="gone" role="status">
        <span className="gone-mark" data-color={list?.color}>
          <Icon name="people" />
        </span>
        <h2>{title}</h2>
        <p>{text}</p>
        <a className="button quiet" href="#/">
          To your lists
        </a>
      </div>
    </main>
  );
}

function describe(list: List | null, userId: string): { title: string; text: string } {
  if (list === null)
    return { title: "There is no such list here", text: "It was deleted, or it is not shared with you." };
  if (list.ownerId === userId) return { title: `“${list.name}” is deleted`, text: "Its todos went with it." };
  const owner = personName(list.ownerId);
  return {
    title: `“${list.name}” is no longer shared with you`,
    text: `Its todos have left this device. If you still need them, ask ${owner}.`,
  };
}
