// Owns: what a test does with the notes app, in the words of its user.
import { expect } from "vitest";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { startApp, type AppProcess } from "./app-process.ts";

/** Long enough for two busy cores, short enough to fail a test by itself. */
export const WAIT_MS = 20_000;

/** Starts the notes app: the page alone. `restart(["--sync"])` gives it a server, on the same port. */
export const startNotes = (): Promise<AppProcess> =>
  startApp({
    example: "offline-notes",
    program: (port) => ["start.ts", "--port", String(port)],
    env: (folder) => ({ NOTES_DATA_DIR: folder, VITE_POLL_MS: "300" }),
  });

/** A page of the notes app, ready. */
export async function openNotes(context: BrowserContext, { url }: AppProcess): Promise<Page> {
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole("button", { name: "New note" }).waitFor();
  return page;
}

export const list = (page: Page): Locator => page.getByRole("navigation", { name: "Notes" });
export const noteInList = (page: Page, name: string): Locator => list(page).getByRole("link").filter({ hasText: name });
/** Names in the list, first line first. */
export const names = (page: Page): Promise<string[]> => list(page).locator(".item-name").allTextContents();
export const title = (page: Page): Locator => page.getByRole("textbox", { name: "Title" });
export const body = (page: Page): Locator => page.getByRole("textbox", { name: "Text" });
export const syncSwitch = (page: Page): Locator => page.getByRole("switch", { name: "Sync" });
export const syncLine = (page: Page): Locator => page.locator(".sync-line");

export async function writeNote(page: Page, note: { readonly title: string; readonly body: string }): Promise<void> {
  await page.getByRole("button", { name: "New note" }).click();
  await title(page).fill(note.title);
  await body(page).fill(note.body);
  await untilKept(page, note.body);
}

/** Resolves when what was typed is part of the note on disk: nothing is a draft any more. */
export async function untilKept(page: Page, text: string): Promise<void> {
  await page.waitForFunction(async (wanted) => {
    const { plasma } = window as unknown as { plasma: { pending(): Promise<{ name: string; args: unknown }[]> } };
    const pending = await plasma.pending();
    return pending.some(({ name, args }) => name === "saveNote" && (args as { body: string }).body === wanted);
  }, text);
}

/** Waits until `read` gives `expected`. */
export const until = <T>(read: () => T | Promise<T>, expected: T): Promise<void> =>
  expect.poll(read, { timeout: WAIT_MS, interval: 50 }).toEqual(expected);
