// Owns: what a page of the todo app is asked while it opens and scrolls: when rows show, how long tasks take.
// Tasks are measured in CPU time of the page's main thread (of Chromium's trace), so that a busy machine does not count.
import type { CDPSession, Page } from "playwright-core";

const SCROLL_MS = 10_000;
/** How many of the longest tasks are told. */
const LONGEST = 8;

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
  /** The last todo that was at the middle, by its place. */
  readonly to: number;
}

/** Scrolls for ten seconds: as a reader, as fast as a wheel turns, and back. */
export async function scrollFor(page: Page): Promise<Scrolling> {
  const { result, longestTasksMs } = await traced(page, () => page.evaluate(scroll, SCROLL_MS));
  return { ...result, longestTasksMs };
}

/** Throws the scroll bar to a place, 0 the top and 1 the end. Returns CPU milliseconds of the longest tasks. */
export async function jumpTo(page: Page, place: number): Promise<readonly number[]> {
  const jump = (to: number) => {
    const pane = document.querySelector("[data-scroller]");
    pane?.scrollTo(0, pane.scrollHeight * to);
  };
  const isShown = () => {
    const pane = document.querySelector("[data-scroller]");
    const box = pane?.getBoundingClientRect();
    if (pane === null || box === undefined) return false;
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const [near, all] = ["aria-posinset", "aria-setsize"].map((name) =>
      Number(hit?.closest("[data-todo]")?.getAttribute(name) ?? Number.NaN),
    );
    return Math.abs((near ?? 0) / (all ?? 1) - pane.scrollTop / pane.scrollHeight) < 0.01;
  };
  const { longestTasksMs } = await traced(page, async () => {
    await page.evaluate(jump, place);
    await page.waitForFunction(isShown);
  });
  return longestTasksMs.slice(0, 3);
}

async function traced<T>(page: Page, run: () => Promise<T>): Promise<{ result: T; longestTasksMs: readonly number[] }> {
  const session = await page.context().newCDPSession(page);
  await startTrace(session);
  const result = await run();
  const tasks = tasksOf(await endTrace(session));
  await session.detach();
  const longest = tasks.toSorted((a, b) => b - a).slice(0, LONGEST);
  return { result, longestTasksMs: longest.map((ms) => Math.round(ms * 10) / 10) };
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
  for (let part = 0; part < 1; part = (performance.now() - begin) / durationMs) {
    pane.scrollTop += part < 0.4 ? 60 : part < 0.8 ? 500 : -250;
    await new Promise(requestAnimationFrame);
    frames += 1;
    const place = placeAtMiddle();
    if (place === 0) blankFrames += 1;
    to = Math.max(to, place);
  }
  return { frames, blankFrames, to };
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
