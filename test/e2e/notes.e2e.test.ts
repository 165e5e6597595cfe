// The notes app as its user has it: no server, two tabs, a killed page; then sync switched on.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { AppProcess } from "./app-process.ts";
import { openBrowser } from "./open-browser.ts";
import {
  body,
  list,
  names,
  noteInList,
  openNotes,
  startNotes,
  syncLine,
  syncSwitch,
  title,
  until,
  untilKept,
  writeNote,
} from "./notes-page.ts";

let app: AppProcess;
let browser: Browser;
let context: BrowserContext;
/** Requests to the sync server. */
let requests: string[];

beforeAll(async () => {
  [app, browser] = await Promise.all([startNotes(), openBrowser()]);
});
beforeEach(async () => {
  requests = [];
  context = await newDevice();
});
afterEach(async () => {
  await context.close();
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

async function newDevice(): Promise<BrowserContext> {
  const device = await browser.newContext();
  device.on("request", (request) => {
    if (new URL(request.url()).pathname.startsWith("/sync")) requests.push(request.url());
  });
  return device;
}

/** What the element that has the focus is called. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");

const press = (page: Page, key: string) => page.keyboard.press(key);

test("notes are written without a server, stay over a reload, and show in a second tab at once", async () => {
  const page = await openNotes(context, app);
  await page.getByRole("heading", { name: "No notes yet" }).waitFor();
  await writeNote(page, { title: "Bread", body: "500 g flour\n10 g salt" });
  await writeNote(page, { title: "", body: "Call the plumber" });
  await until(() => names(page), ["Call the plumber", "Bread"]);
  await page.reload();
  // The app opens where it was left.
  await until(() => body(page).inputValue(), "Call the plumber");
  const second = await openNotes(context, app);
  await noteInList(second, "Bread").click();
  await body(second).press("Control+End");
  await body(second).pressSequentially("\nwater");
  await noteInList(page, "Bread").click();
  await until(() => body(page).inputValue(), "500 g flour\n10 g salt\nwater");
  await until(() => names(page), ["Bread", "Call the plumber"]);
  await until(() => syncLine(page).textContent(), "Only in this browser");
  expect(requests).toEqual([]);
});

test("what is being typed when the page is killed is there when the app opens again", async () => {
  const page = await openNotes(context, app);
  await writeNote(page, { title: "Plan", body: "first" });
  await body(page).press("Control+End");
  await body(page).pressSequentially(", second");
  // The draft is durable with the last key; the pause in which the note would be saved never comes.
  await page.waitForFunction(async () => {
    const { plasma } = window as unknown as { plasma: { flush(): Promise<void> } };
    await plasma.flush();
    return true;
  });
  const client = await context.newCDPSession(page);
  void client.send("Page.crash").catch(() => undefined);
  await page.waitForEvent("crash");
  await page.close();
  const again = await openNotes(context, app);
  await noteInList(again, "Plan").click();
  await until(() => body(again).inputValue(), "first, second");
  await untilKept(again, "first, second");
});

test("search, pin, delete and undo, with the keyboard", async () => {
  const page = await openNotes(context, app);
  for (const name of ["Alpha", "Beta", "Gamma"]) await writeNote(page, { title: name, body: `about ${name}` });
  await noteInList(page, "Alpha").click();
  await page.getByRole("button", { name: "Pin" }).click();
  await until(() => names(page), ["Alpha", "Gamma", "Beta"]);
  await page.getByRole("region", { name: "Pinned" }).getByRole("link").waitFor();
  await press(page, "/");
  await page.keyboard.type("ABOUT be");
  await until(() => names(page), ["Beta"]);
  await page.keyboard.type(" nowhere");
  await page.getByText("No note has").waitFor();
  await page.getByRole("searchbox", { name: "Search notes" }).fill("");
  await until(() => names(page), ["Alpha", "Gamma", "Beta"]);
  for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"]) await press(page, key);
  await until(() => title(page).inputValue(), "Gamma");
  await page.getByRole("button", { name: "Delete note" }).focus();
  await press(page, "Enter");
  await until(() => names(page), ["Alpha", "Beta"]);
  await until(() => focused(page), "New note");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(() => names(page), ["Alpha", "Gamma", "Beta"]);
  await until(() => title(page).inputValue(), "Gamma");
  await page.getByRole("button", { name: "Pin" }).focus();
  await press(page, "n");
  await until(() => focused(page), "Title");
  // An empty note is taken again.
  await page.getByRole("button", { name: "New note" }).click();
  await until(async () => (await names(page)).length, 4);
  await title(page).fill("Delta");
  await until(async () => (await names(page))[1], "Delta");
});

test("sync is switched on later: what waited goes out, and another device has it", async () => {
  const page = await openNotes(context, app);
  await writeNote(page, { title: "Before", body: "written with no server" });
  await syncSwitch(page).click();
  await until(
    () =>
      syncLine(page)
        .textContent()
        .then((line) => line?.startsWith("No server answers")),
    true,
  );
  await app.kill();
  // The page finds the server by itself: it asks again, or Vite loads it anew.
  await app.restart(["--sync"]);
  await until(() => syncLine(page).textContent(), "All saved on the server");
  const device = await newDevice();
  const other = await openNotes(device, app);
  await syncSwitch(other).click();
  await noteInList(other, "Before").click();
  await until(() => body(other).inputValue(), "written with no server");
  await body(other).fill("changed elsewhere");
  await until(() => body(page).inputValue(), "changed elsewhere");
  await device.close();
  await expect(list(page).getByRole("link").count()).resolves.toBe(1);
});
