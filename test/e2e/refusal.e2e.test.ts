// Changes that the server refuses: they leave the screen, and the person is told which and why, whatever gets lost.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { PlasmaClient } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import { openBrowser } from "./open-browser.ts";
import { countTodos } from "./server-database.ts";
import { addTodo, notice, openList, openTodo, titles, todo, until, untilSaved } from "./todo-page.ts";
import { startTodoServer, type TodoServer } from "./todo-server.ts";

let server: TodoServer;
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startTodoServer(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});

async function openAs(user: "ada" | "grace", list: string): Promise<Page> {
  const context = await browser.newContext();
  contexts.push(context);
  const page = await openTodo(context, server, user);
  await openList(page, list);
  return page;
}

const REASON = "looks like it holds a password";

test("a title that only the server refuses shows at once, disappears, and is explained until dismissed", async () => {
  const page = await openAs("ada", "Errands");
  await addTodo(page, "Remember the password");
  await addTodo(page, "A harmless one");
  await notice(page, "“Remember the password” was not added").getByText(REASON).waitFor();
  await until(() => todo(page, "Remember the password").count(), 0);
  await untilSaved(page);
  await todo(page, "A harmless one").waitFor();
  expect(countTodos(server, "Remember the password")).toBe(0);
  expect(countTodos(server, "A harmless one")).toBe(1);
  await page.getByRole("button", { name: "Dismiss: “Remember the password” was not added" }).click();
  await until(() => page.getByRole("alert").count(), 0);
});

test("renaming and deleting are offered to a list's owner alone, and refused when tried all the same", async () => {
  const page = await openAs("ada", "Lake weekend");
  const before = await titles(page);
  expect(await page.getByRole("button", { name: /(Rename|Delete) this list/ }).count()).toBe(0);
  await callMutator(page, "renameList", { name: "Ada's weekend" });
  await notice(page, "The list “Lake weekend” keeps its name").getByText("Only Grace, who owns it").waitFor();
  await callMutator(page, "deleteList");
  await notice(page, "The list “Lake weekend” was not deleted").waitFor();
  await page.getByRole("heading", { name: "Lake weekend" }).waitFor();
  await until(() => titles(page), before);
});

test("a refusal whose answer was lost is told all the same, once", async () => {
  const page = await openAs("ada", "Errands");
  const lost = await losePushAnswers(page);
  await addTodo(page, "The password again");
  await lost.first;
  await lost.stop();
  await notice(page, "“The password again” was not added").getByText(REASON).waitFor();
  await until(() => todo(page, "The password again").count(), 0);
  await untilSaved(page);
  await addTodo(page, "One more round trip");
  await untilSaved(page);
  expect(await page.getByRole("alert").count()).toBe(1);
});

test("a refusal whose answer was lost is told after a reload", async () => {
  const page = await openAs("ada", "Errands");
  // A pull would tell of it too, before the reload.
  await page.route(`${server.url}sync/pull*`, (route) => route.abort("internetdisconnected"));
  const lost = await losePushAnswers(page);
  await addTodo(page, "A password before the reload");
  await lost.first;
  await page.reload();
  await page.unroute(`${server.url}sync/pull*`);
  await lost.stop();
  await notice(page, "“A password before the reload” was not added").getByText(REASON).waitFor();
  await until(() => todo(page, "A password before the reload").count(), 0);
  await untilSaved(page);
  expect(await page.getByRole("alert").count()).toBe(1);
});

/** Calls a mutator on the open list, as an app would that does not know who may. */
const callMutator = (page: Page, name: string, args: Record<string, string> = {}): Promise<void> =>
  page.evaluate(
    async (call) => {
      const { plasma } = window as unknown as {
        plasma: PlasmaClient & { mutate(name: string, args: unknown): Promise<void> };
      };
      await plasma.mutate(call.name, { id: location.hash.replace("#/list/", ""), ...call.args });
    },
    { name, args },
  );

/** Lets pushes reach the server and drops its answers. `first` resolves when the server has answered one. */
async function losePushAnswers(page: Page) {
  const first = Promise.withResolvers<void>();
  const pattern = `${server.url}sync/push`;
  await page.route(pattern, async (route) => {
    await route.fetch();
    await route.abort("connectionreset");
    first.resolve();
  });
  return { first: first.promise, stop: () => page.unroute(pattern, undefined) };
}
