// Owns: what stands in place of todos: nothing to show, and why, or lines that say that they are on their way.
import type { Filter, TodoChoice } from "./queries.ts";

export function Nothing({ filter, search }: TodoChoice) {
  if (search.trim() !== "") {
    return (
      <p className="empty">
        <strong>No match.</strong> Nothing here is called “{search.trim()}”.
      </p>
    );
  }
  return (
    <p className="empty">
      <strong>{EMPTY[filter][0]}</strong> {EMPTY[filter][1]}
    </p>
  );
}

const EMPTY: Readonly<Record<Filter, readonly [string, string]>> = {
  all: ["An empty list.", "Write the first todo above."],
  open: ["All done.", "Enjoy the afternoon."],
  done: ["Nothing done yet.", "The first one is the hardest."],
};

export function SkeletonTodos() {
  return (
    <div className="skeletons" role="status" aria-label="Loading todos">
      {[62, 48, 71, 55, 66, 40, 58].map((width) => (
        <span key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
