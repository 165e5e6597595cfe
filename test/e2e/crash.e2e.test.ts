// Processes that die at the worst moment: the browser after a change was promised, the server in the middle of a push.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { PlasmaClient } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import { startBrowser, type KillableBrowser } from "./killable-browser.ts";
import { openBrowser } from "./open-browser.ts";
import { addedTitles, countTodos, repeatedMutations } from "./server-database.ts";
import { addTodo, openList, openTodo, titles, todo, until, untilSaved } from "./todo-page.ts";
import { startTodoServer, type TodoServer } from "./todo-server.ts";

let server: TodoServer;
let browser: Browser;
const profile = mkdtempSync(join(tmpdir(), "plasma-profile-"));
const started: KillableBrowser[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startTodoServer(), openBrowser()]);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.kill()));
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
});

test("a todo whose promise has resolved survives the browser's death and reaches the server", async () => {
  const first = await start();
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
  await first.kill();
  expect(addedTitles(server, "ada")).toEqual([]);

  const second = await start();
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

async function start(): Promise<KillableBrowser> {
  const each = await startBrowser(profile);
  started.push(each);
  return each;
}
