// Processes that die at the worst moment: the browser after a change was promised, the server in the middle of a push.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { must } from "../../packages/plasma-sync/src/core/lib/assert.ts";
import type { PlasmaClient } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";
import { openBrowser } from "./open-browser.ts";
import { addedTitles, countTodos, repeatedMutations } from "./server-database.ts";
import { addTodo, openList, openTodo, titles, todo, until, untilSaved, WAIT_MS } from "./todo-page.ts";
import { startTodoServer, type TodoServer } from "./todo-server.ts";

let server: TodoServer;
let browser: Browser;
const profile = mkdtempSync(join(tmpdir(), "plasma-profile-"));
const started: ChildProcess[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startTodoServer(), openBrowser()]);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map(kill));
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
});

test("a todo whose promise has resolved survives the browser's death and reaches the server", async () => {
  const first = await startBrowser();
  const page = await openTodo(first.context, server, "ada");
  await page.route(`${server.url}sync/push`, (route) => route.abort("internetdisconnected"));
  const added: string[] = [];
  for (let i = 0; i < 5; i++) {
    added.push(`Promised ${i}`);
    await page.evaluate(async (title) => {
      const { plasma } = window as unknown as {
        plasma: PlasmaClient & { mutate(name: string, args: unknown): Promise<void> };
      };
      await plasma.mutate("createTodo", { listId: "seed-list-5", title });
    }, `Promised ${i}`);
  }
  await kill(first.child);
  expect(addedTitles(server, "ada")).toEqual([]);

  const second = await startBrowser();
  const again = await openTodo(second.context, server, "ada");
  await openList(again, "Errands");
  await todo(again, "Promised 4").waitFor();
  await untilSaved(again);
  expect(addedTitles(server, "ada")).toEqual(added);
  expect(repeatedMutations(server)).toEqual([]);
});

test("a push whose answer died with the server is applied once", async () => {
  const page = await openTodo(await browser.newContext(), server, "grace");
  await openList(page, "Garden");
  const answered = Promise.withResolvers<void>();
  await page.route(`${server.url}sync/push`, async (route) => {
    await route.fetch();
    answered.resolve();
    await route.abort("connectionreset");
  });
  await addTodo(page, "Applied, answer lost");
  await answered.promise;
  await server.kill();
  await page.unroute(`${server.url}sync/push`);
  await addTodo(page, "Added while the server is down");
  await server.restart();
  await finish(page, ["Applied, answer lost", "Added while the server is down"]);
});

test.each([0, 1, 2])("a push during which the server is killed is applied once (%i)", async (round) => {
  const page = await openTodo(await browser.newContext(), server, "linus");
  await openList(page, "Kernel chores");
  const batch = Array.from({ length: 6 }, (_, i) => `Round ${round}, todo ${i}`);
  const requested = page.waitForRequest(`${server.url}sync/push`);
  for (const title of batch) await addTodo(page, title);
  await requested;
  await server.kill();
  await server.restart();
  await finish(page, batch);
});

/** The page goes on by itself; everything is there once, here, on the server and for a newcomer. */
async function finish(page: Page, added: readonly string[]): Promise<void> {
  for (const title of added) await until(() => countTodos(server, title), 1);
  await untilSaved(page);
  for (const title of added) await todo(page, title).waitFor();
  expect(addedTitles(server, await page.getByLabel("You are").inputValue()).slice(-added.length)).toEqual(added);
  expect(repeatedMutations(server)).toEqual([]);
  const shown = await titles(page);
  expect(new Set(shown).size).toBe(shown.length);
  await page.context().close();
}

/** A Chromium that a test may kill: playwright does not hand out the process of one with a profile. */
async function startBrowser() {
  const { executablePath, args } = chromiumLaunchOptions();
  rmSync(join(profile, "DevToolsActivePort"), { force: true });
  const child = spawn(
    must(executablePath ?? chromium.executablePath(), "a Chromium is there"),
    [...args, "--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--no-first-run", "about:blank"],
    { stdio: "ignore" },
  );
  started.push(child);
  let port = "";
  await expect
    .poll(() => (port = readFileSync(join(profile, "DevToolsActivePort"), "utf8").split("\n")[0] ?? ""), {
      timeout: WAIT_MS,
    })
    .not.toBe("");
  const connected = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  return { child, context: must(connected.contexts()[0], "a browser with a profile has one context") };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
