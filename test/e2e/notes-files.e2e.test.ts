// Files in the notes app: chosen, pasted and dropped with no server; over a killed browser; then sent.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppProcess } from "./app-process.ts";
import { noteInList, openNotes, startNotes, syncLine, syncSwitch, until, writeNote } from "./notes-page.ts";
import { openBrowser, openProfile } from "./open-browser.ts";

/** A red dot of 1 by 1. */
const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** Larger than what rides in one chunk of anything. */
const LARGE = Buffer.alloc(3_000_000, "plasma ");

let app: AppProcess;
let browser: Browser;

beforeAll(async () => {
  [app, browser] = await Promise.all([startNotes(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

const files = (page: Page): Locator => page.getByRole("region", { name: "Files" });
const chip = (page: Page, name: string): Locator => files(page).getByRole("listitem").filter({ hasText: name });
const picture = (page: Page, name: string): Locator => files(page).getByRole("img", { name });

/** Resolves when the picture is drawn. */
const untilDrawn = (page: Page, name: string): Promise<void> =>
  until(() => picture(page, name).evaluate((img) => (img as HTMLImageElement).naturalWidth), 1);

/** Gives the note a picture, as the clipboard or a drag does. */
const giveFile = (page: Page, how: "paste" | "drop", name: string): Promise<void> =>
  page.getByRole("textbox", { name: "Text" }).evaluate(
    (field, { how: way, name: fileName, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], fileName, { type: "image/png" }));
      const init = { bubbles: true, cancelable: true };
      if (way === "paste") field.dispatchEvent(new ClipboardEvent("paste", { ...init, clipboardData: data }));
      else
        for (const type of ["dragenter", "dragover", "drop"])
          field.dispatchEvent(new DragEvent(type, { ...init, dataTransfer: data }));
    },
    { how, name, base64: PICTURE },
  );

async function chooseFile(page: Page, file: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
  await page.getByLabel("Files to attach").setInputFiles(file);
}

async function download(page: Page, name: string): Promise<Buffer> {
  const [got] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: `Download ${name}` }).click(),
  ]);
  expect(got.suggestedFilename()).toBe(name);
  return readFileSync(await got.path());
}

test("pictures are pasted and dropped, files chosen; removing one can be undone", async () => {
  const context = await browser.newContext();
  const page = await openNotes(context, app);
  await writeNote(page, { title: "Trip", body: "with files" });
  await giveFile(page, "paste", "pasted.png");
  await untilDrawn(page, "pasted.png");
  await giveFile(page, "drop", "dropped.png");
  await untilDrawn(page, "dropped.png");
  await chooseFile(page, { name: "ticket.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4 no more") });
  await chip(page, "ticket.pdf").getByText("16 bytes").waitFor();
  expect((await download(page, "ticket.pdf")).toString()).toBe("%PDF-1.4 no more");
  await page.getByRole("button", { name: "Remove dropped.png" }).click();
  await picture(page, "dropped.png").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await untilDrawn(page, "dropped.png");
  // The list says how many there are; a second tab shows them.
  await until(() => noteInList(page, "Trip").locator(".item-files").textContent(), "Files: 3");
  const second = await openNotes(context, app);
  await noteInList(second, "Trip").click();
  await untilDrawn(second, "pasted.png");
  await context.close();
});

test("files outlive a killed browser, go out when sync is switched on, and show on another device", async () => {
  const profile = mkdtempSync(join(tmpdir(), "plasma-profile-"));
  const open = async (): Promise<[BrowserContext, Page]> => {
    const context = await openProfile(profile);
    return [context, await openNotes(context, app)];
  };
  const [first, page] = await open();
  await writeNote(page, { title: "House", body: "plans" });
  await giveFile(page, "paste", "door.png");
  await untilDrawn(page, "door.png");
  await chooseFile(page, { name: "plan.bin", mimeType: "application/octet-stream", buffer: LARGE });
  await chip(page, "plan.bin").getByText("3.0 MB").waitFor();
  await first.close();

  await app.kill();
  await app.restart(["--sync"]);
  const [second, again] = await open();
  await noteInList(again, "House").click();
  await untilDrawn(again, "door.png");
  await syncSwitch(again).click();
  await until(() => syncLine(again).textContent(), "All saved on the server");

  const device = await browser.newContext();
  const other = await openNotes(device, app);
  await syncSwitch(other).click();
  await noteInList(other, "House").click();
  await untilDrawn(other, "door.png");
  const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  await chip(other, "plan.bin").waitFor();
  expect(hashOf(await download(other, "plan.bin"))).toBe(hashOf(LARGE));
  await device.close();
  await second.close();
  rmSync(profile, { recursive: true, force: true });
});
