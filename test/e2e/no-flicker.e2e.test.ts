// Every delivery of a live query, and every state of the screen, recorded during own writes, pulls and re-syncs.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PlasmaClient } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import { openBrowser } from "./open-browser.ts";
import { addTodo, openList, openTodo, retitle, tick, titles, todo, until, untilSaved } from "./todo-page.ts";
import { startTodoServer, type TodoServer } from "./todo-server.ts";

let server: TodoServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startTodoServer(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

interface Recording {
  /** Titles by id, one map per delivery. */
  readonly deliveries: Record<string, string>[];
  /** Titles on screen, one list per painted frame. */
  readonly screens: string[][];
}

test("own changes never vanish and return, and lists never flash empty, through pulls and re-syncs", async () => {
  const page = await openTodo(await browser.newContext(), server, "ada");
  const other = await openTodo(await browser.newContext(), server, "grace");
  await openList(page, "Household");
  await openList(other, "Household");
  await record(page);
  const resyncs = await forceResyncs(page);
  for (let i = 0; i < 6; i++) {
    await addTodo(page, `Mine ${i}`);
    await addTodo(other, `Hers ${i}`);
    if (i % 2 === 0) await tick(page, `Mine ${i}`);
    if (i % 3 === 0) await retitle(page, `Mine ${i}`, `Mine ${i}, edited`);
    resyncs.demand();
    await todo(page, `Hers ${i}`).waitFor();
  }
  await untilSaved(page);
  await untilSaved(other);
  await until(async () => (await titles(page)).join() === (await titles(other)).join(), true);
  expect(resyncs.count()).toBeGreaterThan(3);
  const { deliveries, screens } = await page.evaluate(() => (window as unknown as { recording: Recording }).recording);
  expect(deliveries.length).toBeGreaterThan(12);
  expect(deliveries.filter((delivery) => Object.keys(delivery).length === 0)).toEqual([]);
  expect(screens.filter((screen) => screen.length === 0)).toEqual([]);
  expect(setbacks(deliveries)).toEqual([]);
  expect(
    setbacks(
      screens.map((screen) => Object.fromEntries(screen.map((title) => [title.replace(", edited", ""), title]))),
    ),
  ).toEqual([]);
});

test("a re-sync that changes nothing delivers nothing", async () => {
  const page = await openTodo(await browser.newContext(), server, "linus");
  await openList(page, "Kernel chores");
  await record(page);
  const resyncs = await forceResyncs(page);
  resyncs.demand();
  await until(() => resyncs.count() > 0, true);
  await addTodo(page, "After the re-sync");
  await untilSaved(page);
  const { deliveries } = await page.evaluate(() => (window as unknown as { recording: Recording }).recording);
  // The rows as they were, and the new todo; the re-sync and the confirmation of the new todo are not news.
  expect(deliveries).toHaveLength(2);
});

/** Times that a row of one's own, once shown, was gone or had an older title again. */
function setbacks(deliveries: readonly Record<string, string>[]): string[] {
  const seen = new Map<string, string[]>();
  return deliveries.flatMap((delivery, at) => {
    const wrong: string[] = [];
    for (const [id, known] of seen) {
      const title = delivery[id];
      if (title === undefined) wrong.push(`delivery ${at}: ${known.at(-1)} is gone`);
      else if (title !== known.at(-1) && known.includes(title))
        wrong.push(`delivery ${at}: ${known.at(-1)} is ${title} again`);
    }
    for (const [id, title] of Object.entries(delivery)) {
      const known = seen.get(id) ?? [];
      if (known.at(-1) !== title) seen.set(id, [...known, title]);
    }
    return wrong;
  });
}

async function record(page: Page): Promise<void> {
  await page.evaluate(() => {
    const recording: Recording = { deliveries: [], screens: [] };
    const { plasma } = window as unknown as { plasma: PlasmaClient };
    Object.assign(window, { recording });
    const { todos } = plasma.schema.tables;
    if (todos === undefined) throw new Error("no table");
    const live = plasma.db.select().from(todos).live();
    live.subscribe((rows) => {
      const list = rows as unknown as readonly { id: string; title: string }[];
      recording.deliveries.push(Object.fromEntries(list.map(({ id, title }) => [id, title])));
    });
    // While one is edited, its title is in the editor's name.
    const text = (line: Element) =>
      line.querySelector(".title")?.textContent ??
      line.querySelector(".editor")?.getAttribute("aria-label")?.replace("Edit ", "") ??
      "";
    const look = () => {
      recording.screens.push([...document.querySelectorAll("[data-todo]")].map(text));
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

/** After `demand`, the next pull asks with a cookie that lost its tag, which the server must answer with a re-sync. */
async function forceResyncs(page: Page) {
  let isDemanded = false;
  let count = 0;
  await page.route(`${server.url}sync/pull*`, async (route) => {
    const url = new URL(route.request().url());
    const cookie = url.searchParams.get("cookie");
    if (!isDemanded || cookie === null) return route.continue();
    isDemanded = false;
    url.searchParams.set("cookie", withoutTag(cookie));
    const response = await route.fetch({ url: url.href });
    const body = (await response.json()) as { patch: { op: string }[] };
    if (body.patch[0]?.op === "clear") count++;
    await route.fulfill({ response, json: body });
  });
  return { demand: () => void (isDemanded = true), count: () => count };
}

function withoutTag(cookie: string): string {
  const [version, encoded] = cookie.split(":");
  const { $tag: _, ...rest } = JSON.parse(Buffer.from(encoded ?? "", "base64url").toString()) as Record<string, string>;
  return `${version}:${Buffer.from(JSON.stringify(rest)).toString("base64url")}`;
}
