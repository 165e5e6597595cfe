// Owns: the hand-written view: what an app would do without any engine. Open issues stand in a sorted array; a change finds
// its place by bisection, splices, and hands the listener a new page.

import type { Issue } from "./dataset.ts";
import type { Engine } from "./engine.ts";
import { PAGE } from "./views.ts";

export const floor: Engine = {
  name: "by hand",
  version: "",
  lacks: (view) => (view === "newest" ? null : "not written by hand"),
  start(data) {
    const open = data.issues.filter((issue) => issue.open).sort((a, b) => b.createdAt - a.createdAt);
    let listener: (rows: readonly Issue[]) => void = () => undefined;
    const page = () => open.slice(0, PAGE);
    return {
      open() {
        let rows: readonly Issue[] = [];
        listener = (now) => (rows = now);
        listener(page());
        return { rows: () => rows, close: () => void (listener = () => undefined) };
      },
      add(_, row) {
        const issue = row as Issue;
        if (!issue.open) return;
        open.splice(placeOf(open, issue), 0, issue);
        listener(page());
      },
      remove(_, row) {
        const place = placeOf(open, row as Issue);
        if (open[place]?.id !== row.id) return;
        open.splice(place, 1);
        listener(page());
      },
      close: () => undefined,
    };
  },
};

function placeOf(open: readonly Issue[], issue: Issue): number {
  let low = 0;
  let high = open.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((open[middle] as Issue).createdAt > issue.createdAt) low = middle + 1;
    else high = middle;
  }
  return low;
}
