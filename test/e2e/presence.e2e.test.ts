// Two browsers over sockets alone: the poll is an hour away, so what one sees of the other came as a poke or as presence.
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "./open-browser.ts";
import { addTodo, isDone, openList, openTodo, setMember, tick, titles, todo, until } from "./todo-page.ts";
import { startTodoServer, type TodoServer } from "./todo-server.ts";

const HOUR_MS = "3600000";

let server: TodoServer;
let browser: Browser;
let graceContext: BrowserContext;
let ada: Page;
let grace: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([startTodoServer({ VITE_POLL_MS: HOUR_MS }), openBrowser()]);
  graceContext = await browser.newContext();
  ada = await openTodo(await browser.newContext(), server, "ada");
  await openList(ada, "Household");
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const hereNow = (page: Page): Locator => page.getByRole("list", { name: "Here now" }).getByRole("listitem");
const names = (page: Page): Promise<string[]> => hereNow(page).locator(".visually-hidden").allTextContents();

test("two people see each other in a list that both have open", async () => {
  expect(await names(ada)).toEqual([]);
  grace = await openTodo(graceContext, server, "grace");
  await openList(grace, "Household");
  await until(() => names(ada), ["Grace is here"]);
  await until(() => names(grace), ["Ada is here"]);
  expect(await hereNow(ada).getAttribute("title")).toBe("Grace is looking at this list");
});

test("what one adds and ticks is on the other's screen, without a poll", async () => {
  await addTodo(ada, "Oil the hinges");
  await todo(grace, "Oil the hinges").waitFor();
  await tick(grace, "Oil the hinges");
  await until(() => isDone(ada, "Oil the hinges"), true);
  await addTodo(grace, "Sweep the stairs");
  await todo(ada, "Sweep the stairs").getByText("Written by Grace").waitFor();
  expect(await titles(ada)).toEqual(await titles(grace));
});

test("while one edits a todo, the other sees who, and no longer when it is done", async () => {
  await todo(grace, "Sweep the stairs").locator(".todo-text").click();
  await todo(ada, "Sweep the stairs").getByText("Grace is editing").waitFor();
  await grace.getByRole("textbox", { name: "Title" }).press("Escape");
  await todo(ada, "Sweep the stairs").getByText("Grace is editing").waitFor({ state: "detached" });
});

test("a second window of the same person is no second person", async () => {
  const second = await openTodo(graceContext, server, "grace");
  await openList(second, "Household");
  await until(() => names(second), ["Ada is here"]);
  await addTodo(second, "Wind the clock");
  await todo(ada, "Wind the clock").waitFor();
  expect(await names(ada)).toEqual(["Grace is here"]);
  await second.close();
  await addTodo(ada, "Air the attic");
  await todo(grace, "Air the attic").waitFor();
  expect(await names(ada)).toEqual(["Grace is here"]);
});

test("the tab that syncs closes: another of its browser takes over, and its socket with it", async () => {
  const second = await openTodo(graceContext, server, "grace");
  await openList(second, "Household");
  await grace.close();
  grace = second;
  await addTodo(ada, "Oil the gate");
  await todo(grace, "Oil the gate").waitFor();
  await addTodo(grace, "Varnish the table");
  await todo(ada, "Varnish the table").waitFor();
  expect(await names(ada)).toEqual(["Grace is here"]);
});

test("who opens another list has left this one, and is back when they come back", async () => {
  await openList(grace, "Reading circle");
  await until(() => names(ada), []);
  await openList(ada, "Reading circle");
  await until(() => names(ada), ["Grace is here"]);
  await openList(grace, "Household");
  await openList(ada, "Household");
  await until(() => names(ada), ["Grace is here"]);
});

test("the server restarts: both come back by themselves, and what was done meanwhile arrives", async () => {
  await server.kill();
  await addTodo(ada, "Written while the server was away");
  await server.restart();
  await todo(grace, "Written while the server was away").waitFor({ timeout: 60_000 });
  await until(() => names(ada), ["Grace is here"]);
});

test("who is removed from a list is out of its room, and who closes the browser is gone", async () => {
  await setMember(ada, "Grace", "Remove");
  await grace.getByRole("heading", { name: /Household/ }).waitFor();
  await until(() => names(ada), []);
  await setMember(ada, "Grace", "Add");
  await openList(grace, "Household");
  await until(() => names(ada), ["Grace is here"]);
  await graceContext.close();
  await until(() => names(ada), []);
});
