// Owns: what a page of the todo app is asked while it opens and scrolls: when rows show, how long tasks take.
// Tasks are measured in CPU time of the page's main thread (of Chromium's trace), so that a busy machine does not count.
import type { CDPSession, Page } from "playwright-core";

const SCROLL_MS = 10_000;

/** Milliseconds since the navigation began; null: has not happened. */
export interface Marks {
  /** A todo of the list is on the screen. */
  readonly firstRows: number | null;
  /** The list's counts are there, for which all of its rows are needed. */
  readonly counts: number | null;
}

interface Watched {
  firstRows: number | null;
  counts: number | null;
}

declare const window: Window & { marks: Watched };

/** Notes marks in each document that the page opens from now on. */
export async function watchMarks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const marks: Watched = { firstRows: null, counts: null };
    Object.assign(window, { marks });
    const look = () => {
      const at = performance.now();
      if (document.querySelector("[data-todo]") !== null) marks.firstRows ??= at;
      if (/\d open of \d/.test(document.querySelector(".heading p")?.textContent ?? "")) marks.counts ??= at;
      if (marks.firstRows === null || marks.counts === null) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

export const marksOf = (page: Page): Promise<Marks> => page.evaluate(() => window.marks);

export interface Scrolling {
  /** CPU milliseconds of the longest tasks, longest first. */
  readonly longestTasksMs: readonly number[];
  readonly frames: number;
  /** Frames in which no todo was at the middle of the screen. */
  readonly blankFrames: number;
  /** Places of the todos that were at the middle, first and last. */
  readonly from: number;
  readonly to: number;
}

/** Scrolls for ten seconds: as a reader, as somebody who looks for something, to the end and back. */
export async function scrollFor(page: Page): Promise<Scrolling> {
  const session = await page.context().newCDPSession(page);
  await startTrace(session);
  const seen = await page.evaluate(scroll, SCROLL_MS);
  const tasks = tasksOf(await endTrace(session));
  return { ...seen, longestTasksMs: tasks.toSorted((a, b) => b - a).slice(0, 10) };
}

async function scroll(durationMs: number) {
  const pane = document.querySelector<HTMLElement>("[data-scroller]");
  if (pane === null) throw new Error("nothing scrolls");
  const box = pane.getBoundingClientRect();
  const placeAtMiddle = () => {
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return Number(hit?.closest("[data-todo]")?.getAttribute("aria-posinset") ?? 0);
  };
  const begin = performance.now();
  let [frames, blankFrames, to] = [0, 0, 0];
  const from = placeAtMiddle();
  for (let part = 0; part < 1; part = (performance.now() - begin) / durationMs) {
    if (part < 0.4) pane.scrollTop += 60;
    else if (part < 0.6) pane.scrollTop += 600;
    else if (part < 0.65) pane.scrollTop = pane.scrollHeight * 0.5;
    else if (part < 0.8) pane.scrollTop += 120;
    else if (part < 0.85) pane.scrollTop = pane.scrollHeight;
    else pane.scrollTop -= 120;
    await new Promise(requestAnimationFrame);
    frames += 1;
    const place = placeAtMiddle();
    if (place === 0) blankFrames += 1;
    else to = place;
  }
  return { frames, blankFrames, from, to };
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** CPU microseconds. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

async function startTrace(session: CDPSession): Promise<void> {
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "disabled-by-default-devtools.timeline"] },
  });
}

async function endTrace(session: CDPSession): Promise<readonly TraceEvent[]> {
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  return events;
}

/** CPU milliseconds of each task of pages' main threads. */
function tasksOf(events: readonly TraceEvent[]): number[] {
  const mains = new Set(
    events.flatMap(({ name, args, pid, tid }) =>
      name === "thread_name" && args?.name === "CrRendererMain" ? [`${pid} ${tid}`] : [],
    ),
  );
  return events.flatMap(({ name, pid, tid, tdur }) =>
    name === "RunTask" && mains.has(`${pid} ${tid}`) && tdur !== undefined ? [tdur / 1000] : [],
  );
}
