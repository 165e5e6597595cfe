// Every answer that is not 200, and that nothing changed by it.

import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import type { SyncServerError } from "./sync-server-error.ts";
import {
  answerOf,
  mutation,
  pullRequest,
  pushRequest,
  RawClient,
  rawPush,
  startServer,
  type Identity,
  type TestServer,
} from "./sync-server.fixture.ts";

const ada: Identity = { user: "ada", clientID: "c1", replicaID: "r1" };
const add = (id: number) => mutation(id, "addNote", { id: `n${id}` });
const cookie = (fields: unknown) =>
  `c1:${btoa(JSON.stringify(fields)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_")}`;
const withFields = (more: object) => pushRequest(ada, [], more);
const path = (at: string, init?: RequestInit) =>
  new Request(`http://server${at}`, { headers: { "x-user": "ada" }, ...init });

let server: TestServer;
let errors: SyncServerError[];

beforeEach(async () => {
  errors = [];
  server = startServer(fromNodeSqlite(new DatabaseSync(":memory:")), { onError: (error) => void errors.push(error) });
  await server.handle(pushRequest(ada, [add(1), add(2)]));
  await server.handle(
    pushRequest({ user: "grace", clientID: "g1", replicaID: "rg" }, [
      mutation(1, "addNote", { id: "secret", title: "grace's" }),
    ]),
  );
});

interface Case {
  readonly what: string;
  readonly request: () => Request;
  readonly status: number;
  readonly code: string;
  readonly kind?: SyncServerError["kind"];
  readonly body?: object;
}

const invalid = { status: 400, code: "request/invalid", kind: "invalid-request" } as const;
const mismatch = { status: 400, code: "auth/client-mismatch", kind: "invalid-request" } as const;
const badCookie = { status: 400, code: "pull/cookie", kind: "invalid-request" } as const;

const cases: Case[] = [
  {
    what: "a push that is not signed in",
    request: () => pushRequest({ ...ada, header: "" }, [add(3)]),
    status: 401,
    code: "auth/unauthorized",
    kind: "unauthorized",
  },
  {
    what: "a pull that is not signed in",
    request: () => pullRequest({ ...ada, header: "" }),
    status: 401,
    code: "auth/unauthorized",
    kind: "unauthorized",
  },
  { what: "an unknown path", request: () => path("/sync/pushy"), status: 404, code: "request/not-found" },
  { what: "a path outside", request: () => path("/push", { method: "POST" }), status: 404, code: "request/not-found" },
  {
    what: "a blob, which is not there yet",
    request: () => path(`/sync/blob/${"a".repeat(64)}`),
    status: 404,
    code: "request/not-found",
  },
  {
    what: "the coordinator without one",
    request: () => path("/sync/coordinator?room=global"),
    status: 404,
    code: "request/not-found",
  },
  { what: "GET push", request: () => path("/sync/push"), status: 405, code: "request/method" },
  { what: "POST pull", request: () => path("/sync/pull", { method: "POST" }), status: 405, code: "request/method" },
  {
    what: "a preflight where cors is off",
    request: () => path("/sync/push", { method: "OPTIONS" }),
    status: 405,
    code: "request/method",
  },
  { what: "a body that is not JSON", request: () => rawPush(ada, "{"), ...invalid },
  { what: "an empty body", request: () => rawPush(ada, ""), ...invalid },
  { what: "a body that is not UTF-8", request: () => rawPush(ada, new Uint8Array([0x7b, 0xff, 0x7d])), ...invalid },
  { what: "a body that is a list", request: () => rawPush(ada, "[]"), ...invalid },
  { what: "a body that is null", request: () => rawPush(ada, "null"), ...invalid },
  { what: "mutations that are no list", request: () => withFields({ mutations: {} }), ...invalid },
  { what: "a mutation that is null", request: () => withFields({ mutations: [null] }), ...invalid },
  { what: "a clientID that is a number", request: () => withFields({ clientID: 5 }), ...invalid },
  { what: "a clientID that is too long", request: () => withFields({ clientID: "c".repeat(201) }), ...invalid },
  { what: "a replicaID with U+0000", request: () => withFields({ replicaID: "r\0" }), ...invalid },
  { what: "an id of 0", request: () => withFields({ mutations: [add(0)] }), ...invalid },
  { what: "an id of 1.5", request: () => withFields({ mutations: [add(1.5)] }), ...invalid },
  { what: "an id that is text", request: () => withFields({ mutations: [{ ...add(3), id: "3" }] }), ...invalid },
  {
    what: "a time that is null",
    request: () => withFields({ mutations: [mutation(3, "doNothing", null, { timestamp: Number.NaN })] }),
    ...invalid,
  },
  {
    what: "a seed that is no hex",
    request: () => withFields({ mutations: [mutation(3, "doNothing", null, { seed: "x".repeat(32) })] }),
    ...invalid,
  },
  { what: "a protocolVersion that is text", request: () => withFields({ protocolVersion: "1" }), ...invalid },
  {
    what: "a push of another protocol",
    request: () => withFields({ protocolVersion: 2, mutations: "?" }),
    status: 409,
    code: "protocol/mismatch",
    kind: "protocol-mismatch",
  },
  {
    what: "a pull of another protocol",
    request: () => pullRequest(ada, { protocolVersion: "2" }),
    status: 409,
    code: "protocol/mismatch",
    kind: "protocol-mismatch",
  },
  {
    what: "a push of another schema",
    request: () => withFields({ schemaVersion: "2", mutations: [add(3)] }),
    status: 409,
    code: "schema/mismatch",
    kind: "schema-mismatch",
    body: { error: "schema mismatch", code: "schema/mismatch", expected: "1" },
  },
  {
    what: "a pull of another schema",
    request: () => pullRequest(ada, { schemaVersion: "2" }),
    status: 409,
    code: "schema/mismatch",
    kind: "schema-mismatch",
    body: { error: "schema mismatch", code: "schema/mismatch", expected: "1" },
  },
  {
    what: "another's group",
    request: () => withFields({ clientGroupID: "grace", mutations: [add(3)] }),
    status: 400,
    code: "auth/group-mismatch",
    kind: "invalid-request",
  },
  {
    what: "a pull for another's group",
    request: () => pullRequest(ada, { clientGroupID: "grace" }),
    status: 400,
    code: "auth/group-mismatch",
    kind: "invalid-request",
  },
  {
    what: "another clientID than auth's",
    request: () => pushRequest({ ...ada, header: "ada/c7" }, [add(3)]),
    ...mismatch,
  },
  {
    what: "a pull with another clientID than auth's",
    request: () => pullRequest({ ...ada, header: "ada/c7" }),
    ...mismatch,
  },
  {
    what: "a client of another group",
    request: () => pushRequest({ ...ada, clientID: "g1" }, [mutation(2, "addNote", { id: "n9" })]),
    ...mismatch,
  },
  {
    what: "a client of another group, named by a mutation",
    request: () => pushRequest(ada, [add(3), mutation(2, "doNothing", null, { clientID: "g1" })]),
    ...mismatch,
  },
  {
    what: "a client of another replica",
    request: () => pushRequest({ ...ada, replicaID: "r2" }, [add(3)]),
    ...mismatch,
  },
  {
    what: "a client that had a replica, without one",
    request: () => pushRequest({ user: "ada", clientID: "c1" }, [add(3)]),
    ...mismatch,
  },
  { what: "a pull as a client of another group", request: () => pullRequest({ ...ada, clientID: "g1" }), ...mismatch },
  {
    what: "a pull as a client of another replica",
    request: () => pullRequest({ ...ada, replicaID: "r2" }),
    ...mismatch,
  },
  {
    what: "a gap",
    request: () => pushRequest(ada, [add(4)]),
    status: 409,
    code: "push/gap",
    body: { code: "push/gap", clientID: "c1", lastMutationID: 2 },
  },
  {
    what: "a gap behind good mutations",
    request: () => pushRequest(ada, [add(3), add(4), add(6)]),
    status: 409,
    code: "push/gap",
    body: { clientID: "c1", lastMutationID: 2 },
  },
  {
    what: "a gap of another client in the body",
    request: () => pushRequest(ada, [add(3), mutation(2, "doNothing", null, { clientID: "new" })]),
    status: 409,
    code: "push/gap",
    body: { clientID: "new", lastMutationID: 0 },
  },
  {
    what: "ids out of order",
    request: () => pushRequest(ada, [add(4), add(3)]),
    status: 409,
    code: "push/gap",
    body: { clientID: "c1", lastMutationID: 2 },
  },
  {
    what: "too many mutations",
    request: () =>
      pushRequest(
        ada,
        Array.from({ length: 201 }, (_, i) => add(i + 3)),
      ),
    status: 413,
    code: "limit/mutations",
    kind: "invalid-request",
  },
  {
    what: "a body over the bound",
    request: () => rawPush(ada, " ".repeat(1_048_577)),
    status: 413,
    code: "limit/payload",
    kind: "invalid-request",
  },
  { what: "a cookie without its prefix", request: () => pullRequest(ada, { cookie: "1" }), ...badCookie },
  { what: "a cookie that is no base64url", request: () => pullRequest(ada, { cookie: "c1:!!" }), ...badCookie },
  { what: "a cookie of one letter", request: () => pullRequest(ada, { cookie: "c1:A" }), ...badCookie },
  {
    what: "a cookie that is no JSON",
    request: () => pullRequest(ada, { cookie: `c1:${btoa("nonsense").replaceAll("=", "")}` }),
    ...badCookie,
  },
  { what: "a cookie that is a list", request: () => pullRequest(ada, { cookie: cookie(["0", "1"]) }), ...badCookie },
  { what: "a cookie with a number", request: () => pullRequest(ada, { cookie: cookie({ 0: 1 }) }), ...badCookie },
  {
    what: "a cookie with a negative version",
    request: () => pullRequest(ada, { cookie: cookie({ 0: "-1" }) }),
    ...badCookie,
  },
  {
    what: "a cookie with SQL",
    request: () => pullRequest(ada, { cookie: cookie({ 0: "1; DROP TABLE notes" }) }),
    ...badCookie,
  },
  {
    what: "a cookie of another region",
    request: () => pullRequest(ada, { cookie: cookie({ 0: "1", 1: "1" }) }),
    ...badCookie,
  },
  {
    what: "a cookie with a tag that is no text",
    request: () => pullRequest(ada, { cookie: cookie({ 0: "1", $tag: {} }) }),
    ...badCookie,
  },
  {
    what: "a cookie with a page that is none",
    request: () => pullRequest(ada, { cookie: cookie({ 0: "0", $schema: "1", $page: 5 }) }),
    ...badCookie,
  },
  {
    what: "a cookie whose page names no table",
    request: () =>
      pullRequest(ada, {
        cookie: cookie({ 0: "0", $schema: "1", $page: { type: "tables", table: "_plasma_changes", place: "" } }),
      }),
    ...badCookie,
  },
  {
    what: "a cookie whose place was not sealed here",
    request: () =>
      pullRequest(ada, {
        cookie: cookie({
          0: "0",
          $schema: "1",
          $page: { type: "tables", table: "notes", place: btoa("n".repeat(40)) },
        }),
      }),
    ...badCookie,
  },
  {
    what: "a cookie that is too long",
    request: () => pullRequest(ada, { cookie: `c1:${"A".repeat(5000)}` }),
    ...invalid,
  },
  { what: "a limit of 0", request: () => pullRequest(ada, { limit: "0" }), ...invalid },
  { what: "a limit that is no number", request: () => pullRequest(ada, { limit: "all" }), ...invalid },
  {
    what: "a pull without a clientID",
    request: () => path("/sync/pull?protocolVersion=1&schemaVersion=1&clientGroupID=ada"),
    ...invalid,
  },
  { what: "a pull without anything", request: () => path("/sync/pull"), ...invalid },
];

describe("a refused request", () => {
  test.each(cases)("$what: $status $code, and nothing changes", async ({ request, status, code, kind, body }) => {
    const before = await server.dump();
    const answer = await answerOf(await server.handle(request()));
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(answer.json).toMatchObject({ error: expect.stringMatching(/./), ...body });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("content-type")).toMatch("application/json");
    expect(answer.text).not.toMatch(/secret|grace's|\.ts:\d|\\n +at /);
    expect(await server.dump()).toEqual(before);
    expect(errors.map((error) => error.kind)).toEqual(kind === undefined ? [] : [kind]);
  });

  test("a wrong method is told the right one", async () => {
    expect((await server.handle(path("/sync/push"))).headers.get("allow")).toBe("POST");
  });

  test("a forged cookie is answered by a re-sync of what its caller may see", async () => {
    const forged = [
      { 0: "99999", $schema: "1" },
      { 0: "9999999999999999999", $tag: "0", $schema: "1" },
      { 0: "1", $tag: "0000000000000000", $schema: "1" },
      { 0: "1", $schema: "1" },
      { 0: "1" },
      { 0: "0", $tag: "1", $schema: "1" },
      { 0: "0", $schema: "other" },
      { 0: "0", $schema: "1", $ctx: "x" },
      { 0: "5000", $tag: "x", $schema: "1", $page: { type: "tables", table: "notes", place: "n" } },
      { 0: "5000", $tag: "x", $schema: "1", $page: { type: "log" } },
      {
        0: "5000",
        $tag: "x",
        $schema: "1",
        $page: { type: "moved", table: "notes", place: "n", to: 9, next: null },
      },
    ];
    for (const fields of forged) {
      const { status, json } = await answerOf(await server.handle(pullRequest(ada, { cookie: cookie(fields) })));
      expect(status).toBe(200);
      expect(json.patch.map((op: any) => [op.op, op.id])).toEqual([
        ["clear", undefined],
        ["put", "n1"],
        ["put", "n2"],
      ]);
    }
  });

  test("a body without a length is cut off at the bound, not buffered", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new Uint8Array(65_536).fill(32));
      },
    });
    const request = new Request("http://server/sync/push", {
      method: "POST",
      body: endless,
      headers: { "x-user": "ada" },
      duplex: "half",
    } as RequestInit);
    const { status, json } = await answerOf(await server.handle(request));
    expect([status, json.code]).toEqual([413, "limit/payload"]);
    expect(sent).toBeLessThan(25);
  });

  test("a body that breaks off is a bad request", async () => {
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new TypeError("gone")) });
    const request = new Request("http://server/sync/push", {
      method: "POST",
      body: broken,
      headers: { "x-user": "ada" },
      duplex: "half",
    } as RequestInit);
    expect((await server.handle(request)).status).toBe(400);
  });

  test("args nested a hundred thousand deep are refused, not a crash", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const body = JSON.stringify({
      protocolVersion: 1,
      schemaVersion: "1",
      clientGroupID: "ada",
      clientID: "c1",
      replicaID: "r1",
      mutations: [mutation(3, "addNote", "@")],
    });
    const { status, json } = await answerOf(await server.handle(rawPush(ada, body.replace('"@"', deep))));
    expect([status, json.results?.[0]?.error?.code ?? json.code]).toEqual([200, "mutation/args"]);
  });

  test("an auth that throws is 503, and so is a rule", async () => {
    const told: SyncServerError[] = [];
    const boom = () => {
      throw new RangeError("secret");
    };
    const broken = startServer(server.executor, { auth: boom, onError: (error) => void told.push(error) });
    const answer = await answerOf(await broken.handle(pullRequest(ada)));
    expect([answer.status, answer.json.code]).toEqual([503, "server/retry"]);
    expect(answer.text).not.toContain("secret");
    expect(told).toMatchObject([{ kind: "database", status: 503, cause: { message: "secret" } }]);

    const ruleThrows = startServer(server.executor, {
      auth: () => ({ ok: true, clientGroupID: "ada", ctx: null as never }),
      onError: (error) => void told.push(error),
    });
    expect((await ruleThrows.handle(pullRequest(ada))).status).toBe(503);
    expect(told[1]).toMatchObject({ kind: "database", cause: { name: "TypeError" } });
  });

  test("a rate limit answers 429 with Retry-After", async () => {
    const limited = startServer(server.executor, { rateLimit: () => ({ ok: false, retryAfterSeconds: 7 }) });
    const answer = await answerOf(await limited.handle(pushRequest(ada, [add(3)])));
    expect([answer.status, answer.json.code, answer.headers.get("retry-after")]).toEqual([429, "limit/rate", "7"]);
  });
});

describe("cors", () => {
  const origin = "https://app.example";
  const from = (request: Request) =>
    new Request(request, { headers: { ...Object.fromEntries(request.headers), origin } });

  test("lets listed origins in, errors included, and answers preflights without auth", async () => {
    const open = startServer(server.executor, { cors: { origin: [origin] } });
    const preflight = await open.handle(
      new Request("http://server/sync/push", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-headers": "authorization,content-type" },
      }),
    );
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-headers": "authorization,content-type",
      "access-control-allow-methods": "GET, HEAD, POST, PUT",
    });
    const refused = await open.handle(from(pullRequest({ ...ada, header: "" })));
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, origin]);
    expect(refused.headers.get("vary")).toMatch(/Origin/);
  });

  test("keeps others out, and all where it is not asked for", async () => {
    const other = startServer(server.executor, { cors: { origin: ["https://other.example"] } });
    expect((await other.handle(from(pullRequest(ada)))).headers.get("access-control-allow-origin")).toBeNull();
    expect((await server.handle(from(pullRequest(ada)))).headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("options", () => {
  test.each([
    ["maxPayloadBytes", { maxPayloadBytes: 655_359 }],
    ["maxMutationsPerPush", { maxMutationsPerPush: 0 }],
    ["basePath", { basePath: "sync" }],
    ["schemaVersion", { schemaVersion: "" }],
    ["auth", { auth: undefined as never }],
  ])("a wrong %s is refused when the handler is made", (option, options) => {
    const make = () => startServer(server.executor, options);
    expect(make).toThrow(expect.objectContaining({ code: "server/option", data: expect.objectContaining({ option }) }));
  });

  test("maxMutationsPerPush and basePath are the app's to set", async () => {
    const small = startServer(server.executor, { maxMutationsPerPush: 1, basePath: "/api/sync/" });
    const at = (request: Request) => new Request(request.url.replace("/sync/", "/api/sync/"), request);
    expect((await small.handle(at(pushRequest(ada, [add(3), add(4)])))).status).toBe(413);
    expect((await small.handle(at(pushRequest(ada, [add(3)])))).status).toBe(200);
    expect((await small.handle(pushRequest(ada, [add(3)]))).status).toBe(404);
  });

  test("tables are made by the first request", async () => {
    const fresh = startServer(fromNodeSqlite(new DatabaseSync(":memory:")));
    const client = new RawClient(fresh, ada);
    expect(await client.pull()).toEqual([{ op: "clear" }]);
  });
});
