// The todo app's own tables, rules and mutators: who is in a list decides what is on whose device, at every moment.
import type { PlasmaClient } from "plasma-sync/client";
import { asc, eq, select } from "plasma-sync/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mutators } from "../../examples/todo/src/mutators.ts";
import { lists, members, schema, ticks, todos, users } from "../../examples/todo/src/schema.ts";
import { eventually, openWorld, type World } from "./open-world.ts";

type Client = PlasmaClient<typeof schema, typeof mutators>;

const PEOPLE = ["ada", "grace", "linus"] as const;
let world: World<typeof schema, typeof mutators>;
let ada: Client;
let grace: Client;

beforeEach(async () => {
  world = openWorld({ schema, mutators, pollIntervalMs: 20 });
  [ada, grace] = [world.client("ada"), world.client("grace")];
  // By then the tables exist.
  for (const client of [ada, grace]) await eventually(() => expect(client.status.get().firstSync.done).toBe(true));
  await world.db.insert(users).values(PEOPLE.map((id) => ({ id, name: id })));
});
afterEach(() => world.close());

const listOf = (client: Client, id: string) =>
  client.mutate.createList({ id, name: `List ${id}`, color: "sea" }).server;

async function fill(client: Client, listId: string, count: number): Promise<void> {
  const added = Array.from({ length: count }, (_, i) => client.mutate.createTodo({ listId, title: `${listId} ${i}` }));
  await Promise.all(added.map((mutation) => mutation.server));
  for (const { id } of (await client.db.select().from(todos).where(eq(todos.listId, listId))).slice(0, count / 2))
    await client.mutate.setDone({ id, done: true }).server;
}

const titlesOf = async (client: Client): Promise<string[]> =>
  (await client.db.select().from(todos).orderBy(asc(todos.title))).map(({ title }) => title);

/** Each delivery of the person's lists with their todos, as text. */
function watch(client: Client): string[] {
  const seen: string[] = [];
  const inList = select().from(todos).where(eq(todos.listId, lists.id));
  client.db
    .select()
    .from(lists)
    .orderBy(asc(lists.name))
    .include({ todos: inList, people: select().from(members).where(eq(members.listId, lists.id)) })
    .live()
    .subscribe((rows) => {
      seen.push(
        rows.map((list) => `${list.name}: ${list.todos.length} todos, ${list.people.length} people`).join("; "),
      );
    });
  return seen;
}

test("a list comes whole and goes whole, in one delivery each, and the other lists stay as they are", async () => {
  await listOf(ada, "trip");
  await fill(ada, "trip", 30);
  await listOf(grace, "own");
  await eventually(() => expect(grace.status.get().outboxDepth).toBe(0));
  const seen = watch(grace);
  await ada.mutate.addMember({ listId: "trip", userId: "grace" }).server;
  await eventually(() => expect(seen).toHaveLength(2));
  expect(await grace.db.select().from(ticks)).toHaveLength(15);
  await ada.mutate.removeMember({ listId: "trip", userId: "grace" }).server;
  await eventually(() => expect(seen).toHaveLength(3));
  const alone = "List own: 0 todos, 1 people";
  expect(seen).toEqual([alone, `${alone}; List trip: 30 todos, 2 people`, alone]);
  expect(await grace.db.select().from(ticks)).toEqual([]);
  expect(await ada.db.select().from(todos)).toHaveLength(30);
});

test("who is in a list already sees people come and go, and no todo moves", async () => {
  await listOf(ada, "trip");
  await fill(ada, "trip", 4);
  await ada.mutate.addMember({ listId: "trip", userId: "grace" }).server;
  await eventually(async () => expect(await titlesOf(grace)).toHaveLength(4));
  const people: string[] = [];
  let deliveries = 0;
  grace.db
    .select()
    .from(todos)
    .live()
    .subscribe(() => void deliveries++);
  grace.db
    .select()
    .from(members)
    .orderBy(asc(members.userId))
    .live()
    .subscribe((rows) => people.push(rows.map(({ userId }) => userId).join()));
  await ada.mutate.addMember({ listId: "trip", userId: "linus" }).server;
  await eventually(() => expect(people.at(-1)).toBe("ada,grace,linus"));
  await ada.mutate.removeMember({ listId: "trip", userId: "linus" }).server;
  await eventually(() => expect(people).toEqual(["ada,grace", "ada,grace,linus", "ada,grace"]));
  expect(deliveries).toBe(1);
});

test("what happened while a person was out is there when they are in again, and never told before", async () => {
  await listOf(ada, "trip");
  await fill(ada, "trip", 2);
  await ada.mutate.addMember({ listId: "trip", userId: "grace" }).server;
  await eventually(async () => expect(await titlesOf(grace)).toEqual(["trip 0", "trip 1"]));
  await ada.mutate.removeMember({ listId: "trip", userId: "grace" }).server;
  await eventually(async () => expect(await titlesOf(grace)).toEqual([]));
  const from = world.pulls.length;
  const [first, second] = await ada.db.select().from(todos).orderBy(asc(todos.title));
  await ada.mutate.editTodo({ id: first?.id ?? "", title: "planted word" }).server;
  await ada.mutate.deleteTodo({ id: second?.id ?? "" }).server;
  await ada.mutate.createTodo({ listId: "trip", title: "planted too" }).server;
  await grace.pullOnce();
  const told = world.pulls.slice(from).filter(({ user }) => user === "grace");
  expect(told.length).toBeGreaterThan(0);
  for (const { body } of told) expect(JSON.parse(body)).toMatchObject({ patch: [] });
  await ada.mutate.addMember({ listId: "trip", userId: "grace" }).server;
  await eventually(async () => expect(await titlesOf(grace)).toEqual(["planted too", "planted word"]));
});

test("changes made offline in a list that was taken away are refused and told, and leave no trace", async () => {
  await listOf(ada, "trip");
  await fill(ada, "trip", 2);
  await ada.mutate.addMember({ listId: "trip", userId: "grace" }).server;
  await eventually(async () => expect(await titlesOf(grace)).toEqual(["trip 0", "trip 1"]));
  const [todo] = await grace.db.select().from(todos).orderBy(asc(todos.title));
  world.setFault((request) => (request.headers.get("x-user") === "grace" ? "unreachable" : "none"));
  await grace.mutate.editTodo({ id: todo?.id ?? "", title: "hers" });
  await grace.mutate.createTodo({ listId: "trip", title: "hers too" });
  await ada.mutate.removeMember({ listId: "trip", userId: "grace" }).server;
  expect(await titlesOf(grace)).toEqual(["hers", "hers too", "trip 1"]);
  world.setFault(() => "none");
  await eventually(async () => expect(await titlesOf(grace)).toEqual([]));
  await eventually(() => expect(grace.status.get().outboxDepth).toBe(0));
  const refusals = world.errors.filter((error) => error.kind === "mutation-rejected");
  expect(refusals).toMatchObject([
    { name: "editTodo", message: "It is deleted, or its list is no longer shared with you." },
    { name: "createTodo", message: "Its list is gone, or no longer shared with you." },
  ]);
  expect(await titlesOf(ada)).toEqual(["trip 0", "trip 1"]);
});

test("only the owner adds and removes people, only members write, and nobody takes the owner out", async () => {
  await listOf(ada, "trip");
  await fill(ada, "trip", 1);
  await ada.mutate.addMember({ listId: "trip", userId: "grace" }).server;
  await eventually(async () => expect(await titlesOf(grace)).toEqual(["trip 0"]));
  const refused = { code: "mutation/app" };
  // Straight to the server, as a changed app could: what the browser's run refuses is never sent.
  const { push } = world;
  expect(await push("grace", "addMember", { listId: "trip", userId: "linus" })).toMatchObject({ error: refused });
  expect(await push("grace", "removeMember", { listId: "trip", userId: "ada" })).toMatchObject({ error: refused });
  expect(await push("linus", "createTodo", { listId: "trip", title: "intruder" })).toMatchObject({ error: refused });
  expect(await push("linus", "addMember", { listId: "trip", userId: "linus" })).toMatchObject({ error: refused });
  expect(await push("ada", "removeMember", { listId: "trip", userId: "ada" })).toMatchObject({ error: refused });
  expect(await push("ada", "leaveList", { id: "trip" })).toMatchObject({ error: refused });
  const [todo] = await world.db.select().from(todos);
  const reached = await push("linus", "setDone", { id: todo?.id, done: true });
  expect(reached).toMatchObject({ error: refused });
  // The answer does not say whether there is such a todo.
  const missed = await push("linus", "setDone", { id: "no-such-todo", done: true });
  expect(missed.error).toEqual(reached.error);
  expect((await world.db.select().from(members)).map(({ userId }) => userId).toSorted()).toEqual(["ada", "grace"]);
  expect(await push("grace", "leaveList", { id: "trip" })).toMatchObject({ status: "applied" });
});

test("however people come, go, write and lose the network, each device ends with what its person may see", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const draw = createDraw(seed);
  const clients = new Map<string, Client>([
    ["ada", ada],
    ["grace", grace],
    ["linus", world.client("linus")],
  ]);
  let cutOff = "";
  world.setFault((request) => (request.headers.get("x-user") === cutOff ? "unreachable" : "none"));
  for (let step = 0; step < 150; step++) {
    if (draw(10) === 0) cutOff = ["", ...PEOPLE][draw(4)] ?? "";
    const user = PEOPLE[draw(PEOPLE.length)] ?? "ada";
    const client = must(clients.get(user));
    await act(client, draw).catch(() => undefined); // What the device knows already to be refused.
    if (draw(4) === 0) await client.pullOnce();
  }
  cutOff = "";
  for (const [user, client] of clients) {
    await eventually(() => expect(client.status.get().outboxDepth, `outbox of ${user}, seed ${seed}`).toBe(0));
    await client.pullOnce();
    expect(await rowsOf(client), `rows of ${user}, seed ${seed}`).toEqual(await visibleTo(user));
  }
  expect(world.processed.filter(({ status }) => status === "applied").length).toBeGreaterThan(20);
  expect(world.errors.filter((error) => error.kind === "mutation-rejected" && error.code !== "mutation/app")).toEqual(
    [],
  );
});

type Draw = (below: number) => number;

/** Numbers that a seed repeats. */
function createDraw(seed: number): Draw {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One thing that a person may do with what is on their device. */
async function act(client: Client, draw: Draw): Promise<void> {
  const pick = <T>(rows: readonly T[]): T | undefined => rows[draw(rows.length)];
  const list = pick(await client.db.select().from(lists));
  const todo = pick(await client.db.select().from(todos));
  const userId = must(pick(PEOPLE));
  const { mutate } = client;
  const listId = list?.id ?? "";
  const id = todo?.id ?? "";
  const acts = [
    () => mutate.createList({ id: client.newId(), name: "A list", color: "sea" }),
    () => mutate.addMember({ listId, userId }),
    () => mutate.addMember({ listId, userId }),
    () => mutate.removeMember({ listId, userId }),
    () => mutate.leaveList({ id: listId }),
    () => mutate.createTodo({ listId, title: `Todo ${draw(1000)}` }),
    () => mutate.createTodo({ listId, title: `Todo ${draw(1000)}` }),
    () => mutate.setDone({ id, done: draw(2) === 0 }),
    () => mutate.deleteTodo({ id }),
  ];
  await must(pick(acts))();
}

const text = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();

type Rows = Readonly<Record<"lists" | "members" | "todos" | "ticks", readonly string[]>>;

async function rowsOf({ db }: Pick<Client, "db">): Promise<Rows> {
  return {
    lists: text(await db.select().from(lists)),
    members: text(await db.select().from(members)),
    todos: text(await db.select().from(todos)),
    ticks: text(await db.select().from(ticks)),
  };
}

/** The rules again, over plain rows. */
async function visibleTo(userId: string): Promise<Rows> {
  const { db } = world;
  const mine = new Set((await db.select().from(members).where(eq(members.userId, userId))).map(({ listId }) => listId));
  const seenTodos = (await db.select().from(todos)).filter(({ listId }) => mine.has(listId));
  const seenIds = new Set(seenTodos.map(({ id }) => id));
  return {
    lists: text((await db.select().from(lists)).filter(({ id }) => mine.has(id))),
    members: text((await db.select().from(members)).filter(({ listId }) => mine.has(listId))),
    todos: text(seenTodos),
    ticks: text((await db.select().from(ticks)).filter(({ todoId }) => seenIds.has(todoId))),
  };
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing was drawn");
  return value;
}
