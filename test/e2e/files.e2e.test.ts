// Files between real browsers and a real server on disk, whoever is killed in the middle.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Files } from "./files-page.ts";
import { startBrowser } from "./killable-browser.ts";
import { openBrowser } from "./open-browser.ts";
import { serveSourcePages, type SourcePages } from "./source-pages.ts";

const WAIT = { timeout: 45_000 };
const MB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "plasma-files-"));
const contexts: BrowserContext[] = [];
let pages: SourcePages;
let browser: Browser;
let server: FilesServer;

beforeAll(async () => {
  [pages, browser] = await Promise.all([serveSourcePages("files-page.ts"), openBrowser()]);
  server = await startServer(0);
});
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});
afterAll(async () => {
  await browser?.close();
  await pages?.close();
  await server?.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

interface FilesServer {
  readonly port: number;
  kill(): Promise<void>;
}

/** On the test's folder; with port 0 on a free one. */
async function startServer(port: number): Promise<FilesServer> {
  const program = new URL("./files-server.ts", import.meta.url);
  const args = [join(folder, "server"), String(port), new URL(pages.url).origin];
  const endWithParent = new URL("./end-with-parent.mjs", import.meta.url).href;
  const child: ChildProcess = spawn(process.execPath, ["--import", endWithParent, program.pathname, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let printed = "";
  while (!printed.includes("listening")) printed += String(await once(child.stdout ?? child, "data"));
  return {
    port: Number(/listening (\d+)/.exec(printed)?.[1]),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

type Tab = Page & { readonly call: <T>(run: (files: Files, arg: never) => T, arg?: unknown) => Promise<Awaited<T>> };

async function openTab(context: BrowserContext, user: string): Promise<Tab> {
  const page = await context.newPage();
  const endpoint = `http://127.0.0.1:${server.port}/sync`;
  await page.goto(`${pages.url}?${new URLSearchParams({ endpoint, user })}`);
  await page.waitForFunction(() => "files" in window);
  const call = (run: (files: Files, arg: never) => unknown, arg?: unknown) =>
    page.evaluate(`(${run})(window.files, ${JSON.stringify(arg ?? null)})`);
  return Object.assign(page, { call }) as Tab;
}

async function openAs(user: string): Promise<Tab> {
  const context = await browser.newContext();
  contexts.push(context);
  return openTab(context, user);
}

/** From now on the tab sends this much. */
async function throttle(page: Page, bytesPerSecond: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond,
  });
}

const settled = (tab: Tab) => tab.call((files) => files.settled);
const pending = (tab: Tab) => tab.call((files) => files.pending());
const sentBytes = (tab: Tab) => tab.call((files) => Math.max(0, ...files.progress.map((event) => event.loadedBytes)));
const read = (tab: Tab, note: string, sizeBytes: number) =>
  tab.call((files, [id, size]: readonly [string, number]) => files.read(id, size), [note, sizeBytes]);
const add = (tab: Tab, note: string, sizeBytes: number, type = "image/png") =>
  tab.call(
    (files, [id, size, mime]: readonly [string, number, string]) => files.add(id, size, mime),
    [note, sizeBytes, type],
  );
const addText = (tab: Tab, note: string) => tab.call((files, id: string) => files.addText(id), note);
const titles = (tab: Tab) => tab.call((files) => files.titles());
const eventually = (what: () => Promise<unknown>) => expect.poll(what, WAIT);

test("a file given to mutate is read here at once, uploaded, and comes whole to another device and a stranger of the row", async () => {
  const ada = await openAs("ada");
  await add(ada, "photo", 3 * MB + 7);
  expect(await read(ada, "photo", 3 * MB + 7)).toMatch(/^(local|uploading|ready) whole$/);
  await eventually(() => settled(ada)).toEqual(["photo applied 1"]);
  expect(await read(ada, "photo", 3 * MB + 7)).toBe("ready whole");
  for (const user of ["ada", "grace"]) {
    const other = await openAs(user);
    await eventually(() => titles(other)).toContain("photo");
    expect(await read(other, "photo", 3 * MB + 7)).toBe("ready whole");
    // From here on without the server.
    await other.route(/\/blob\//, (route) => route.abort());
    expect(await read(other, "photo", 3 * MB + 7)).toBe("ready whole");
  }
});

test("a mutation waits for its file, later ones of its tab behind it, and another tab's go on; watchers see it pass", async () => {
  const one = await openAs("held");
  const two = await openTab(one.context(), "held");
  await eventually(() => one.call((files) => files.role())).toBe("leader");
  await throttle(one, 400_000);
  await add(two, "slow", 2 * MB);
  await addText(two, "behind");
  await addText(one, "free");
  await two.call((files) => files.watch("slow"));
  await eventually(() => settled(two)).toEqual([]);
  await eventually(() => sentBytes(one)).toBeGreaterThan(0);
  expect((await pending(two)).filter((line) => !line.startsWith("free"))).toEqual(["slow held", "behind held"]);
  await eventually(() => pending(one)).toEqual(["slow held", "behind held"]);
  await eventually(() => settled(two)).toEqual(["slow applied 1", "behind applied 2"]);
  await eventually(() => two.call((files) => files.watched.at(-1))).toBe("ready");
  expect(await two.call((files) => files.watched)).toContain("uploading");
  expect(await sentBytes(two)).toBeGreaterThan(0);
});

test("a browser killed in the middle of an upload sends the file when it is back", async () => {
  const profile = join(folder, "profile");
  const first = await startBrowser(profile);
  try {
    const tab = await openTab(first.context, "killed");
    await throttle(tab, 300_000);
    await add(tab, "survivor", 3 * MB);
    await addText(tab, "after");
    await eventually(() => sentBytes(tab)).toBeGreaterThan(100_000);
    expect(await settled(tab)).toEqual([]);
  } finally {
    await first.kill();
  }
  const reader = await openAs("reader");
  await eventually(() => titles(reader)).not.toContain("survivor");
  const second = await startBrowser(profile);
  try {
    const tab = await openTab(second.context, "killed");
    expect(await read(tab, "survivor", 3 * MB)).toMatch(/whole$/);
    await eventually(() => pending(tab)).toEqual([]);
    await eventually(() => titles(reader)).toEqual(expect.arrayContaining(["after", "survivor"]));
    expect(await read(reader, "survivor", 3 * MB)).toBe("ready whole");
  } finally {
    await second.kill();
  }
});

test("a server killed in the middle of an upload gets the file again when it is back, and the row once", async () => {
  const tab = await openAs("patient");
  await throttle(tab, 300_000);
  await add(tab, "again", 2 * MB);
  await eventually(() => sentBytes(tab)).toBeGreaterThan(100_000);
  await server.kill();
  await eventually(() => tab.call((files) => files.errors.map(({ kind }) => kind))).toContain("network");
  server = await startServer(server.port);
  await eventually(() => settled(tab)).toEqual(["again applied 1"]);
  expect((await titles(tab)).filter((title) => title === "again")).toHaveLength(1);
  const other = await openAs("other");
  await eventually(() => titles(other)).toContain("again");
  expect(await read(other, "again", 2 * MB)).toBe("ready whole");
});

test("a tab that takes over from one closed in the middle of an upload sends the file", async () => {
  const leader = await openAs("heir");
  await eventually(() => leader.call((files) => files.role())).toBe("leader");
  const heir = await openTab(leader.context(), "heir");
  await throttle(leader, 200_000);
  await add(heir, "inherited", 2 * MB);
  await eventually(() => sentBytes(leader)).toBeGreaterThan(50_000);
  await leader.close();
  await eventually(() => settled(heir)).toEqual(["inherited applied 1"]);
  expect(await read(heir, "inherited", 2 * MB)).toBe("ready whole");
});

test("a file that the server does not take takes its mutation back in every tab, tells once, and the rest go on", async () => {
  const one = await openAs("refused");
  const two = await openTab(one.context(), "refused");
  await addText(two, "early");
  await add(two, "text", 1000, "text/plain");
  await addText(two, "next");
  await eventually(() => settled(two)).toEqual(["early applied 1", "text blob/refused", "next applied 2"]);
  await addText(two, "later");
  await eventually(() => settled(two)).toHaveLength(4);
  expect((await settled(two)).at(-1)).toBe("later applied 3");
  for (const tab of [one, two]) expect(await titles(tab)).not.toContain("text");
  await eventually(() => pending(one)).toEqual([]);
  const told = (
    await Promise.all([one, two].map((tab) => tab.call((files) => files.errors.map(({ kind }) => kind))))
  ).flat();
  expect(told.sort()).toEqual(["blob-upload-failed", "mutation-rejected"]);
});

test("a hundred files at once all arrive", async () => {
  const tab = await openAs("many");
  await tab.call((files) =>
    Promise.all(Array.from({ length: 100 }, (_, i) => files.add(`many-${i}`, 20_000 + i))).then(() => undefined),
  );
  await tab.call((files) => files.flush());
  await eventually(async () => (await settled(tab)).length).toBe(100);
  expect((await settled(tab)).every((line) => / applied \d+$/.test(line))).toBe(true);
  const other = await openAs("counting");
  await eventually(async () => (await titles(other)).filter((title) => title.startsWith("many-")).length).toBe(100);
  expect(await read(other, "many-99", 20_099)).toBe("ready whole");
});
