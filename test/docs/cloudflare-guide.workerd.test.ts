// The Worker of the guide, in workerd: its host names choose the object, and a session is good for one of them.

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import worker, { sessionOf } from "../../docs/guides/cloudflare-examples.ts";

const SECRET = "a secret of the tests";
const teams = { TEAM: env.TEAM, SESSION_SECRET: SECRET };

const push = (host: string, token: string): Promise<Response> => {
  const mutations = [{ id: 1, name: "addTodo", args: { title: "Pack" }, timestamp: 0 }];
  const body = { protocolVersion: 1, schemaVersion: "1", clientGroupID: "ada", clientID: "c1", mutations };
  const request = new Request(`https://${host}/sync/push`, { method: "POST", body: JSON.stringify(body) });
  request.headers.set("authorization", `Bearer ${token}`);
  return worker.fetch(request, teams);
};

const pull = async (host: string, user: string): Promise<unknown[]> => {
  const query = `protocolVersion=1&schemaVersion=1&clientGroupID=${user}&clientID=${user}`;
  const request = new Request(`https://${host}/sync/pull?${query}`);
  request.headers.set("authorization", `Bearer ${await sessionOf(user, host, SECRET)}`);
  const { patch } = (await (await worker.fetch(request, teams)).json()) as { patch: { op: string; value?: unknown }[] };
  return patch.filter(({ op }) => op === "put").map(({ value }) => value);
};

test("a team shares its rows, another has none of them, and its sessions are worth nothing there", async () => {
  const session = await sessionOf("ada", "red.example", SECRET);
  expect((await push("red.example", session)).status).toBe(200);
  expect(await pull("red.example", "grace")).toMatchObject([{ title: "Pack" }]);
  expect(await pull("blue.example", "grace")).toEqual([]);
  expect((await push("blue.example", session)).status).toBe(401);
  expect((await push("red.example", "ada.0")).status).toBe(401);
  expect((await push("red.example", `ada.${"0".repeat(64)}`)).status).toBe(401);
});
