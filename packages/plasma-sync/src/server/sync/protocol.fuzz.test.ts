// Randomized: valid requests with something wrong in them. Whatever comes in, the answer has a documented status and a JSON
// body without a stack, the process lives, and the database is changed by mutations only.

import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryDatabase } from "./memory-database-node.fixture.ts";
import {
  answerOf,
  mutation,
  pullRequest,
  pushRequest,
  RawClient,
  rawPush,
  startServer,
  type TestServer,
} from "./sync-server.fixture.ts";

const ada = { user: "ada", clientID: "c1", replicaID: "r1" };
const STATUSES = [200, 400, 401, 404, 405, 409, 413];

const junk = fc.oneof(
  fc.anything({ withBigInt: false, maxDepth: 2 }),
  fc.constantFrom<unknown>(
    null,
    "",
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    true,
    [],
    {},
    "__proto__",
    "constructor",
    "c1",
    "\ud800",
    "\0",
    "x".repeat(5000),
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom<unknown>(
    { $bigint: "1" },
    { $bigint: 5 },
    { $bytes: "AA" },
    { $file: {} },
    { $x: 1 },
    { $$x: 1 },
    { $bigint: "1".repeat(5000) },
  ),
);
const key = fc.constantFrom(
  "protocolVersion",
  "schemaVersion",
  "clientGroupID",
  "clientID",
  "replicaID",
  "mutations",
  "extra",
  "__proto__",
);
const mutationKey = fc.constantFrom("id", "name", "args", "timestamp", "clientID", "seed", "base", "extra");
const names = fc.constantFrom(
  "addNote",
  "setNote",
  "delNote",
  "addTag",
  "addPost",
  "stamp",
  "catchAll",
  "doNothing",
  "noSuch",
  "toString",
);
const args = fc.oneof(
  junk,
  fc.record(
    {
      id: fc.constantFrom<unknown>("n1", "n2", 1, null),
      title: junk,
      rank: junk,
      big: junk,
      bytes: junk,
      extra: junk,
      shared: junk,
    },
    { requiredKeys: [] },
  ),
);
const wireMutation = fc
  .tuple(
    fc.integer({ min: 0, max: 4 }),
    names,
    args,
    fc.option(fc.tuple(mutationKey, junk), { nil: undefined, freq: 3 }),
  )
  .map(([id, name, value, wrong]) => ({
    ...mutation(id, name, value),
    ...(wrong === undefined ? {} : { [wrong[0]]: wrong[1] }),
  }));
const pushBody = fc
  .tuple(fc.array(wireMutation, { maxLength: 4 }), fc.option(fc.tuple(key, junk), { nil: undefined }))
  .map(([mutations, wrong]) => ({ mutations, more: wrong === undefined ? {} : Object.fromEntries([wrong]) }));

const edit = fc.record({
  at: fc.nat(),
  text: fc.constantFrom("", "{", "}", "[", '"', ",", "\\", "\u0000", "1e999", "9".repeat(400), "null"),
});
const damaged = (text: string, edits: readonly { at: number; text: string }[]) =>
  edits.reduce(
    (damage, { at, text: piece }) =>
      damage.slice(0, at % (damage.length + 1)) + piece + damage.slice((at % (damage.length + 1)) + 1),
    text,
  );

const cookieFields = fc.record(
  {
    0: fc.oneof(fc.nat(9).map(String), junk),
    $tag: fc.oneof(fc.constant("0".repeat(16)), junk),
    $schema: fc.oneof(fc.constant("1"), junk),
    $ctx: junk,
    $page: fc.oneof(
      fc.constant({ type: "log" }),
      fc.record({ type: fc.constant("tables"), table: fc.oneof(fc.constant("notes"), junk), place: junk }),
      fc.record({
        type: fc.constant("moved"),
        table: fc.oneof(fc.constant("notes"), junk),
        place: junk,
        to: fc.oneof(fc.integer(), junk),
        next: fc.oneof(fc.constant(null), fc.constant({ type: "log" }), junk),
      }),
      junk,
    ),
    other: junk,
  },
  { requiredKeys: [] },
);
const cookieOf = (fields: unknown) => `c1:${toBase64Url(JSON.stringify(fields) ?? "")}`;
const toBase64Url = (text: string) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
const param = fc.constantFrom(
  "protocolVersion",
  "schemaVersion",
  "clientGroupID",
  "clientID",
  "replicaID",
  "cookie",
  "limit",
);

async function startedServer() {
  const server = startServer(memoryDatabase());
  const client = new RawClient(server, ada);
  await client.push(mutation(1, "addNote", { id: "n1" }), mutation(2, "noSuch"));
  await client.pull();
  return { server, client };
}

/** Since the connection was opened, rolled back or not. */
const rowsWritten = async ({ executor }: TestServer) =>
  (await executor.all({ text: "SELECT total_changes() AS n", params: [] }))[0]?.["n"];

async function expectDocumented(response: Response): Promise<number> {
  const { status, text, json, headers } = await answerOf(response);
  expect(STATUSES).toContain(status);
  expect(headers.get("cache-control")).toBe("no-store");
  expect(text).not.toMatch(/\.ts:\d|node:internal|\\n +at /);
  if (status !== 200)
    expect(json).toMatchObject({ error: expect.any(String), code: expect.stringMatching(/^[a-z]+\/[a-z-]+$/) });
  return status;
}

test("a push with anything in it", { timeout: 60_000 }, async () => {
  const seen = new Set<number>();
  let { server } = await startedServer();
  let count = 0;
  const property = fc.asyncProperty(pushBody, async ({ mutations, more }) => {
    if (++count % 100 === 0) ({ server } = await startedServer());
    const before = await rowsWritten(server);
    const status = await expectDocumented(await server.handle(pushRequest(ada, mutations, more)));
    if (status !== 200) expect(await rowsWritten(server)).toBe(before);
    seen.add(status);
  });
  await fc.assert(property, { numRuns: 800 });
  expect(seen).toEqual(new Set([200, 400, 409]));
});

test("a push whose text is damaged", { timeout: 60_000 }, async () => {
  const { server } = await startedServer();
  const body = JSON.stringify({
    protocolVersion: 1,
    schemaVersion: "1",
    clientGroupID: "ada",
    clientID: "c1",
    replicaID: "r1",
    mutations: [mutation(3, "addNote", { id: "n3", big: { $bigint: "5" } })],
  });
  const property = fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
    await expectDocumented(await server.handle(rawPush(ada, damaged(body, edits))));
  });
  await fc.assert(property, { numRuns: 400 });
});

test("a pull with anything in it", { timeout: 60_000 }, async () => {
  const { server, client } = await startedServer();
  const before = await server.dump();
  const wrongs = fc.array(
    fc.tuple(
      param,
      fc.oneof(
        cookieFields.map(cookieOf),
        junk.map(String),
        fc.constantFrom("0", "1", "2", "-1", "1e3", client.cookie ?? ""),
      ),
    ),
    { maxLength: 2 },
  );
  const property = fc.asyncProperty(wrongs, async (list) => {
    const query = { cookie: client.cookie, ...Object.fromEntries(list) } as { [name: string]: string };
    await expectDocumented(await server.handle(pullRequest(ada, query)));
  });
  await fc.assert(property, { numRuns: 600 });
  const { ["_plasma_schema"]: _keys, ...rows } = await server.dump();
  expect(before).toMatchObject(rows);
});

test("a cookie with anything in it", { timeout: 60_000 }, async () => {
  const { server } = await startedServer();
  const property = fc.asyncProperty(cookieFields, async (fields) => {
    const status = await expectDocumented(await server.handle(pullRequest(ada, { cookie: cookieOf(fields) })));
    expect([200, 400]).toContain(status);
  });
  await fc.assert(property, { numRuns: 400 });
});

test("any method and path", async () => {
  const { server } = await startedServer();
  const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS");
  const path = fc.oneof(
    fc.constantFrom("/sync/push", "/sync/pull", "/sync", "/sync/", "/sync/push/", "//sync/push", "/sync/%70ush"),
    fc.webPath(),
  );
  const property = fc.asyncProperty(method, path, async (verb, at) => {
    const request = new Request(`http://server${at}`, { method: verb, headers: { "x-user": "ada" } });
    await expectDocumented(await server.handle(request));
  });
  await fc.assert(property, { numRuns: 200 });
});
