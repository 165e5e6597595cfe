// Owns: which rows of a long list are on the screen or near it. All rows have one height, so places follow from numbers.
import { useLayoutEffect, useState, type RefObject } from "react";

/** Rows kept ready above and below the screen, and how many come and go at once: rarely, and before they are seen. */
const SPARE = 20;
const STEP = 20;
/** A list as short as this is on the page as a whole: the browser's own search finds all of it. */
const WHOLE_ROWS = 100;
/** Before one has been measured. */
const ROW_PX = 56;
const SCREEN_ROWS = 20;

export interface RowRange {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

interface View {
  readonly range: RowRange;
  readonly rowPx: number;
}

/** `list` holds the rows, inside of an element that scrolls (`data-scroller`); `total` is the number of all rows. */
export function useVisibleRows(list: RefObject<HTMLElement | null>, total: number): View {
  const [{ range, rowPx }, setView] = useState<View>({
    range: { first: 0, end: SCREEN_ROWS + 2 * SPARE },
    rowPx: ROW_PX,
  });
  const isEmpty = total === 0;
  useLayoutEffect(() => {
    const scroller = isEmpty ? null : scrollerOf(list.current);
    if (scroller === null) return undefined;
    const look = () => {
      const place = placeOf(list.current, scroller);
      if (place !== null) setView((view) => viewAt(view, place));
    };
    look();
    scroller.addEventListener("scroll", look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(scroller);
    return () => {
      scroller.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, [list, isEmpty]);
  if (total <= WHOLE_ROWS) return { range: { first: 0, end: total }, rowPx };
  return { range: { first: Math.min(range.first, total), end: Math.min(range.end, total) }, rowPx };
}

/** Scrolls as little as it takes to have a row on the screen. */
export function reveal(list: HTMLElement | null, index: number, rowPx: number): void {
  const scroller = scrollerOf(list);
  if (list === null || scroller === null) return;
  const topPx = list.getBoundingClientRect().top - scroller.getBoundingClientRect().top + index * rowPx;
  const hiddenPx = topPx + rowPx - scroller.clientHeight;
  if (topPx < 0) scroller.scrollTop += topPx;
  else if (hiddenPx > 0) scroller.scrollTop += hiddenPx;
}

/** Where the screen is in the list, in pixels. */
interface Place {
  readonly topPx: number;
  readonly heightPx: number;
  /** Null where no row is on the page. */
  readonly rowPx: number | null;
}

function placeOf(list: HTMLElement | null, scroller: HTMLElement): Place | null {
  if (list === null) return null;
  const row = list.querySelector(".todo")?.parentElement;
  return {
    topPx: scroller.getBoundingClientRect().top - list.getBoundingClientRect().top,
    heightPx: scroller.clientHeight,
    rowPx: row?.getBoundingClientRect().height ?? null,
  };
}

function viewAt(before: View, { topPx, heightPx, rowPx: measuredPx }: Place): View {
  // Not laid out: the list is not the part that a phone shows.
  if (heightPx === 0) return before;
  const rowPx = measuredPx === null || measuredPx === 0 ? before.rowPx : measuredPx;
  const firstSeen = topPx / rowPx;
  const first = Math.max(0, Math.floor((firstSeen - SPARE) / STEP) * STEP);
  const end = Math.ceil((Math.max(0, firstSeen) + heightPx / rowPx + SPARE) / STEP) * STEP;
  const isSame = before.rowPx === rowPx && before.range.first === first && before.range.end === end;
  return isSame ? before : { range: { first, end }, rowPx };
}

const scrollerOf = (element: HTMLElement | null): HTMLElement | null =>
  element?.closest<HTMLElement>("[data-scroller]") ?? null;
