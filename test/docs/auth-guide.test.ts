// The code that the auth guide shows is a program that the compiler checks; here it runs, against the real server.

import { afterEach, expect, test } from "vitest";
import {
  aRemovedMemberIsToldNothingMore,
  comments,
  lists,
  members,
  openTeam,
  todos,
  type Session,
} from "../../docs/guides/auth-examples.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

type Team = Awaited<ReturnType<typeof openTeam>>;
let team: Team | undefined;
afterEach(async () => {
  await Promise.all((team?.clients ?? []).map((client) => client.close()));
  team = undefined;
});

const session = (userId: string, isSupport = false): Session => ({ userId, isSupport, token: `token of ${userId}` });

async function open(...sessions: Session[]): Promise<Team["clients"]> {
  team = await openTeam(sessions);
  return team.clients;
}

test("the guide shows its program, region by region", () => {
  expect(blocksOf("auth.md")).toEqual(regionsOf("auth-examples.ts"));
});

test("the guide's own test gives what it says", async () => {
  expect(await aRemovedMemberIsToldNothingMore()).toEqual({
    whileIn: [{ title: "Pack" }],
    afterwards: [],
    refused: "This list is not shared with you.",
    isTold: false,
  });
});

test("members see the list, each other and its todos, others nothing, support every list but nobody's membership", async () => {
  const [ada, grace, linus, sue] = await open(session("ada"), session("grace"), session("linus"), session("sue", true));
  await ada?.mutate.createList({ id: "trip", name: "Trip" }).server;
  await ada?.mutate.addMember({ listId: "trip", userId: "grace" }).server;
  await ada?.mutate.addTodo({ listId: "trip", title: "Pack" }).server;
  const counts = async (client: Team["clients"][number] | undefined) => {
    await client?.pullOnce();
    const tables = [lists, members, todos, comments];
    return Promise.all(tables.map(async (table) => (await client?.db.select().from(table))?.length));
  };
  expect(await counts(grace)).toEqual([1, 2, 1, 0]);
  expect(await counts(linus)).toEqual([0, 0, 0, 0]);
  expect(await counts(sue)).toEqual([1, 0, 1, 0]);
  expect(team?.bodies.get("linus")).not.toMatch(/trip|Trip|Pack|grace/);
});

test("with another ctxKey a client syncs anew, and loses what its person's new role may not see", async () => {
  const sessions = [session("ada"), session("sue", true)];
  team = await openTeam(sessions);
  const [ada, sue] = team.clients;
  await ada?.mutate.createList({ id: "trip", name: "Trip" }).server;
  await sue?.pullOnce();
  expect(await sue?.db.select().from(lists)).toHaveLength(1);
  sessions[1] = session("sue", false);
  await sue?.pullOnce();
  expect(await sue?.db.select().from(lists)).toEqual([]);
});

test("a request without a session, or with another person's clientGroupID, is answered nothing", async () => {
  await open(session("ada"));
  const url = "https://example.org/sync/pull?protocolVersion=1&schemaVersion=1&clientID=c1&clientGroupID=grace";
  const ask = (token: string) => team?.server(new Request(url, { headers: { authorization: `Bearer ${token}` } }));
  expect((await ask("a guess"))?.status).toBe(401);
  const answer = await ask("token of ada");
  expect(answer?.status).toBe(400);
  expect(await answer?.json()).toMatchObject({ code: "auth/group-mismatch" });
});
