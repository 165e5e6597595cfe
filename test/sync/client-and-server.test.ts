import { eq, isPlasmaError } from "plasma-sync/core";
import { MutationRejectedError } from "plasma-sync/client";
import { afterEach, expect, test } from "vitest";
import { bodies, createWorld, eventually, notes, type World } from "./world.fixture.ts";

let world: World;
afterEach(() => world.close());

test("a mutation shows at once, reaches the server, and comes to another client by polling", async () => {
  world = createWorld();
  const [ada, grace] = [world.client("ada"), world.client("grace")];
  const mutation = ada.mutate.add({ body: "hello", shared: true });
  await mutation;
  expect(await bodies(ada)).toEqual(["hello"]);
  await expect(mutation.server).resolves.toMatchObject({ clientID: ada.clientID, id: 1 });
  await eventually(async () => expect(await bodies(grace)).toEqual(["hello"]));
  await eventually(() => expect(ada.status.get().outboxDepth).toBe(0));
  expect(ada.status.get()).toMatchObject({ firstSync: { done: true }, auth: "ok", lastError: null, role: "single" });
});

test("what a person may not see never reaches them, and goes when it is no longer shared", async () => {
  world = createWorld();
  const [ada, grace] = [world.client("ada"), world.client("grace")];
  await ada.mutate.add({ body: "private" }).server;
  await ada.mutate.add({ body: "shared", shared: true }).server;
  await eventually(async () => expect(await bodies(grace)).toEqual(["shared"]));
  await world.db.update(notes).set({ shared: false }).where(eq(notes.body, "shared"));
  await eventually(async () => expect(await bodies(grace)).toEqual([]));
  expect(await bodies(ada)).toEqual(["private", "shared"]);
});

test("offline edits arrive once and in order", async () => {
  world = createWorld();
  const ada = world.client("ada");
  await ada.mutate.add({ body: "before" }).server;
  world.setFault(() => "unreachable");
  for (let i = 0; i < 50; i++) await ada.mutate.add({ body: `offline ${i}` });
  expect(ada.status.get().outboxDepth).toBeGreaterThanOrEqual(50);
  await eventually(() => expect(ada.status.get().lastError?.kind).toBe("network"));
  world.setFault(() => "none");
  await eventually(() => expect(ada.status.get().outboxDepth).toBe(0));
  const expected = ["before", ...Array.from({ length: 50 }, (_, i) => `offline ${i}`)];
  expect(await bodies(ada)).toEqual(expected);
  const onServer = await world.db.select().from(notes).orderBy(notes.rank);
  expect(onServer.map(({ body }) => body)).toEqual(expected);
  expect(world.processed.map(({ status }) => status)).toEqual(expected.map(() => "applied"));
});

test("a push whose answer was lost applies once", async () => {
  world = createWorld();
  const ada = world.client("ada");
  await eventually(() => expect(ada.status.get().firstSync.done).toBe(true));
  let lost = 0;
  // Pulls fail too until the push has been repeated: else a pull would confirm the first one.
  world.setFault(({ method }) =>
    method === "GET" && lost < 3 ? "unreachable" : method === "POST" && lost++ < 2 ? "answer-lost" : "none",
  );
  await ada.mutate.add({ body: "once" }).server;
  await eventually(() => expect(ada.status.get().outboxDepth).toBe(0));
  expect(lost).toBeGreaterThanOrEqual(3);
  expect(await world.db.select().from(notes)).toHaveLength(1);
  expect(world.processed).toHaveLength(1);
});

test("a refused mutation disappears and is explained, also when the refusal was lost", async () => {
  world = createWorld();
  const ada = world.client("ada");
  await ada.mutate.add({ body: "fine" }).server;
  const [note] = await ada.db.select().from(notes);
  let lost = 0;
  world.setFault((request) => (request.method === "POST" && lost++ < 1 ? "answer-lost" : "none"));
  const refused = ada.mutate.edit({ id: note?.id ?? "", body: "forbidden word" });
  await refused;
  expect(await bodies(ada)).toEqual(["forbidden word"]);
  const error = await refused.server.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MutationRejectedError);
  expect(error).toMatchObject({ code: "mutation/app", message: "That word is not allowed here.", name: "edit" });
  await eventually(async () => expect(await bodies(ada)).toEqual(["fine"]));
  const told = world.errors.filter(({ kind }) => kind === "mutation-rejected");
  expect(told).toMatchObject([{ name: "edit", code: "mutation/app", args: { body: "forbidden word" } }]);
});

test("a write that the rules deny is refused on the server alone, for the row before as for the row after", async () => {
  world = createWorld();
  const [ada, grace] = [world.client("ada"), world.client("grace")];
  await ada.mutate.add({ body: "ada's", shared: true }).server;
  await eventually(async () => expect(await bodies(grace)).toEqual(["ada's"]));
  const [note] = await grace.db.select().from(notes);
  await expect(grace.mutate.edit({ id: note?.id ?? "", body: "stolen" }).server).rejects.toMatchObject({
    code: "auth/denied",
  });
  await expect(grace.mutate.remove({ id: note?.id ?? "" }).server).rejects.toMatchObject({ code: "auth/denied" });
  expect(await bodies(grace)).toEqual(["ada's"]);
  expect(await world.db.select().from(notes)).toMatchObject([{ body: "ada's" }]);
});

test("a failing push does not keep pulls from working, and pending() says what blocks", async () => {
  world = createWorld();
  const [ada, grace] = [world.client("ada"), world.client("grace")];
  await eventually(() => expect(ada.status.get().firstSync.done).toBe(true));
  world.setFault((request) =>
    request.method === "POST" && request.headers.get("x-user") === "ada" ? "bad-gateway" : "none",
  );
  await ada.mutate.add({ body: "stuck" });
  await grace.mutate.add({ body: "from grace", shared: true }).server;
  await eventually(async () => expect((await bodies(ada)).toSorted()).toEqual(["from grace", "stuck"]));
  await eventually(async () => expect((await ada.pending())[0]?.attempts).toBeGreaterThan(1));
  expect(await ada.pending()).toMatchObject([
    { name: "add", args: { body: "stuck" }, id: 1, lastError: "The server answered 502." },
  ]);
  world.setFault(() => "none");
  await eventually(() => expect(ada.status.get().outboxDepth).toBe(0));
});

test("own writes never vanish and return while they are pushed and pulled", async () => {
  world = createWorld();
  const ada = world.client("ada");
  const seen: string[][] = [];
  ada.db
    .select()
    .from(notes)
    .orderBy(notes.rank)
    .live()
    .subscribe((rows) => seen.push(rows.map(({ body }) => body)));
  const made: string[] = [];
  for (let i = 0; i < 30; i++) {
    made.push(`n${i}`);
    await ada.mutate.add({ body: `n${i}` });
    if (i % 5 === 0) await ada.flush();
  }
  await eventually(() => expect(ada.status.get().outboxDepth).toBe(0));
  for (const [i, rows] of seen.entries()) {
    expect(rows, `delivery ${i}`).toEqual(made.slice(0, rows.length));
    if (i > 0) expect(rows.length, "a list never shrinks").toBeGreaterThanOrEqual(seen[i - 1]?.length ?? 0);
  }
  // One delivery per mutation and the first one: confirmations with the same result deliver nothing.
  expect(seen.length).toBeLessThanOrEqual(made.length + 2);
});

test("a re-sync deletes what is gone and delivers nothing that did not change", async () => {
  world = createWorld();
  const ada = world.client("ada");
  for (const body of ["one", "two", "three"]) await ada.mutate.add({ body }).server;
  await eventually(() => expect(ada.status.get().outboxDepth).toBe(0));
  const seen: string[][] = [];
  ada.db
    .select()
    .from(notes)
    .orderBy(notes.rank)
    .live()
    .subscribe((rows) => seen.push(rows.map(({ body }) => body)));
  await eventually(() => expect(seen).toHaveLength(1));
  await world.db.delete(notes).where(eq(notes.body, "two"));
  let refused = 0;
  world.setFault((request) => (request.method === "GET" && refused++ === 0 ? "bad-cookie" : "none"));
  await eventually(() => expect(seen.at(-1)).toEqual(["one", "three"]));
  await eventually(() => expect(world.requests.filter(({ status }) => status === 400)).toHaveLength(1));
  // Nothing in between: never empty, and one delivery for one difference.
  expect(seen).toEqual([
    ["one", "two", "three"],
    ["one", "three"],
  ]);
});

test("a reset replica syncs everything anew under a new identity", async () => {
  world = createWorld();
  const ada = world.client("ada");
  await ada.mutate.add({ body: "one" }).server;
  const old = ada.clientID;
  await ada.resetLocalState();
  await eventually(async () => expect(await bodies(ada)).toEqual(["one"]));
  expect(ada.clientID).not.toBe(old);
  await ada.mutate.add({ body: "two" }).server;
  expect(await world.db.select().from(notes)).toHaveLength(2);
});

test("a closed client ends `.server` promises and refuses calls", async () => {
  world = createWorld();
  const ada = world.client("ada");
  world.setFault(() => "unreachable");
  const mutation = ada.mutate.add({ body: "never told" });
  await mutation;
  await ada.close();
  await expect(mutation.server).rejects.toSatisfy((error) => isPlasmaError(error, "client/closed"));
  await expect(ada.mutate.add({ body: "late" })).rejects.toSatisfy((error) => isPlasmaError(error, "client/closed"));
});

test("reading through client.db only: a write says where to write instead", async () => {
  world = createWorld();
  const ada = world.client("ada");
  await expect(ada.db.delete(notes).where(eq(notes.id, "x")).then()).rejects.toSatisfy((error) =>
    isPlasmaError(error, "client/write-outside-mutator"),
  );
});

test("bad calls are refused at the call, with the mutator's name, and use no id", async () => {
  world = createWorld();
  const ada = world.client("ada");
  await expect(ada.mutate.add({ body: Number.NaN as unknown as string })).rejects.toSatisfy((error) =>
    isPlasmaError(error, "mutation/args-value"),
  );
  await expect(ada.mutate.add({ body: "x".repeat(600_000) })).rejects.toSatisfy((error) =>
    isPlasmaError(error, "mutation/args-size"),
  );
  await expect(ada.mutate("nothing" as "add", { body: "" })).rejects.toSatisfy((error) =>
    isPlasmaError(error, "mutation/unknown"),
  );
  await expect(ada.mutate.add({ body: 5 as unknown as string })).rejects.toSatisfy((error) =>
    isPlasmaError(error, "data/invalid"),
  );
  await ada.mutate.add({ body: "good" }).server;
  expect(world.processed).toHaveLength(1);
});
