import { expect, test, vi } from "vitest";
import * as limits from "../../core/limits.ts";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import type { OutboxEntry } from "../store/store.ts";
import type { HttpAnswer } from "./http-exchange.ts";
import { createHttpTransport, type HttpTransportOptions } from "./http-transport.ts";

const entry: OutboxEntry = {
  order: 7,
  clientID: "tab2",
  id: 3,
  name: "addTodo",
  args: { title: "Water" },
  timestamp: 1234,
  seed: "ab".repeat(16),
  base: "c1:abc",
  schemaVersion: "4",
};

const never = new AbortController().signal;

/** A transport whose requests come to `server`. */
function connect(
  server: (request: Request) => Response | Promise<Response>,
  given: Partial<HttpTransportOptions> = {},
) {
  const env = createVirtualEnv();
  const requests: Request[] = [];
  const transport = createHttpTransport({
    endpoint: "https://api.example/sync/",
    schemaVersion: "5",
    clientGroupID: "group",
    env,
    clientID: () => "tab1",
    replicaID: () => "replica",
    pullPageSize: undefined,
    fetcher: async (request) => {
      requests.push(request.clone());
      return server(request);
    },
    authHeaders: undefined,
    ...given,
  });
  return { transport, requests, env };
}

const emptyPage = () => Response.json({ cookie: "k", patch: [], lastMutationIDs: {} });

function failureOf(answer: HttpAnswer<unknown>) {
  return answer.ok ? expect.fail("the answer is ok") : answer.failure;
}

test("a push is the request of the protocol", async () => {
  const { transport, requests } = connect(() =>
    Response.json({
      ok: true,
      results: [{ clientID: "tab2", id: 3, status: "applied" }],
      lastMutationIDs: { tab2: 3 },
    }),
  );
  const answer = await transport.push([entry, { ...entry, id: 4, base: null }], never);
  expect(answer).toEqual({
    ok: true,
    url: "https://api.example/sync/push",
    value: { ok: true, results: [{ clientID: "tab2", id: 3, status: "applied" }], lastMutationIDs: { tab2: 3 } },
  });
  const [request] = requests;
  expect(request?.method).toBe("POST");
  expect(request?.url).toBe("https://api.example/sync/push");
  expect(request?.headers.get("content-type")).toBe("application/json");
  const { order: _, schemaVersion: __, base: ___, ...wire } = entry;
  expect(await request?.json()).toEqual({
    protocolVersion: 1,
    // The one that the entries were made with, not the app's of now.
    schemaVersion: "4",
    clientGroupID: "group",
    clientID: "tab1",
    replicaID: "replica",
    mutations: [
      { ...wire, base: "c1:abc" },
      { ...wire, id: 4 },
    ],
  });
});

test("a pull is the request of the protocol; cookie and limit are left out when there are none", async () => {
  const { transport, requests } = connect(emptyPage);
  await transport.pull(null, never);
  const paged = connect(emptyPage, { pullPageSize: 50 });
  await paged.transport.pull("c1:a+b/c=", never);
  const paramsOf = (request: Request | undefined) => Object.fromEntries(new URL(request?.url ?? "").searchParams);
  const who = {
    protocolVersion: "1",
    schemaVersion: "5",
    clientGroupID: "group",
    clientID: "tab1",
    replicaID: "replica",
  };
  expect(requests[0]?.method).toBe("GET");
  expect(requests[0]?.url.split("?")[0]).toBe("https://api.example/sync/pull");
  expect(paramsOf(requests[0])).toEqual(who);
  expect(paramsOf(paged.requests[0])).toEqual({ ...who, cookie: "c1:a+b/c=", limit: "50" });
});

test("a relative endpoint is relative to the page", async () => {
  vi.stubGlobal("location", { href: "https://app.example/lists/1?x#y" });
  try {
    for (const [endpoint, url] of [
      ["/sync", "https://app.example/sync/push"],
      ["sync", "https://app.example/lists/sync/push"],
      ["https://other.example/s", "https://other.example/s/push"],
    ] as const) {
      const { transport, requests } = connect(() => new Response(), { endpoint });
      await transport.push([entry], never);
      expect(requests[0]?.url).toBe(url);
    }
  } finally {
    vi.unstubAllGlobals();
  }
});

test("headers of the app are asked for before every request and laid over ours", async () => {
  const who: unknown[] = [];
  const { transport, requests } = connect(emptyPage, {
    authHeaders: async (asking) => {
      who.push(asking);
      return { authorization: `token ${who.length}`, "content-type": "application/json; charset=utf-8" };
    },
  });
  await transport.pull(null, never);
  await transport.push([entry], never);
  expect(who).toEqual([
    { clientID: "tab1", clientGroupID: "group" },
    { clientID: "tab1", clientGroupID: "group" },
  ]);
  expect(requests.map(({ headers }) => headers.get("authorization"))).toEqual(["token 1", "token 2"]);
  expect(requests[1]?.headers.get("content-type")).toBe("application/json; charset=utf-8");
});

test("after a 401 the headers are asked for once more; a second 401 is the answer", async () => {
  const { transport, requests } = connect(
    () => Response.json({ error: "Sign in.", code: "auth/unauthorized" }, { status: 401 }),
    { authHeaders: () => ({}) },
  );
  const failure = failureOf(await transport.pull(null, never));
  expect(requests.length).toBe(2);
  expect(failure).toMatchObject({ kind: "http", status: 401, message: "Sign in." });
  const bare = connect(() => new Response(null, { status: 401 }));
  await bare.transport.pull(null, never);
  expect(bare.requests.length).toBe(1);
});

test("an error answer is a value with status, code and the fields of its body", async () => {
  const body = { error: "The next mutation is 5.", code: "push/gap", clientID: "tab2", lastMutationID: 4 };
  const { transport } = connect(() => Response.json(body, { status: 409 }));
  expect(failureOf(await transport.push([entry], never))).toEqual({
    kind: "http",
    status: 409,
    url: "https://api.example/sync/push",
    message: body.error,
    body,
    retryAfterMs: null,
  });
});

test("an error page that is not ours still has a status and a message", async () => {
  const { transport } = connect(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
  expect(failureOf(await transport.pull(null, never))).toMatchObject({
    status: 502,
    message: "The server answered 502.",
    body: { code: "" },
  });
});

test.each([
  ["7", 7000],
  ["0", 0],
  ["999999999", limits.retryAfterMsMax],
  ["-3", null],
  ["soon", null],
  ["", null],
  ["Wed, 21 Oct 2026 07:28:00 GMT", null],
])('Retry-After "%s" is %s ms', async (header, expected) => {
  const { transport } = connect(() => new Response(null, { status: 429, headers: { "retry-after": header } }));
  expect(failureOf(await transport.pull(null, never))).toMatchObject({ retryAfterMs: expected });
});

test("an answer of another shape is a failure, never a throw", async () => {
  for (const text of [
    "",
    "null",
    "[]",
    "{",
    '{"cookie":5,"patch":[],"lastMutationIDs":{}}',
    '{"cookie":"k","patch":[{"op":"drop"}],"lastMutationIDs":{}}',
  ]) {
    const { transport } = connect(() => new Response(text));
    expect(failureOf(await transport.pull(null, never))).toMatchObject({
      kind: "http",
      status: 200,
      message: expect.stringMatching(/malformed/),
    });
  }
});

test("an unreachable server, an unusable endpoint and throwing headers are network failures", async () => {
  const unreachable = connect(() => Promise.reject(new TypeError("Failed to fetch")));
  expect(failureOf(await unreachable.transport.pull(null, never))).toMatchObject({
    kind: "network",
    message: "Failed to fetch",
  });
  const unusable = connect(emptyPage, { endpoint: "http://[" });
  expect(failureOf(await unusable.transport.pull(null, never)).kind).toBe("network");
  const headers = connect(emptyPage, { authHeaders: () => expect.fail("no token") });
  expect(failureOf(await headers.transport.pull(null, never))).toMatchObject({ kind: "network", message: "no token" });
});

test("a request ends when it is given up or its time is over, whatever the fetcher does, and leaves no timer", async () => {
  const { transport, env, requests } = connect(() => new Promise<Response>(() => undefined));
  const slow = transport.pull(null, never);
  await env.advance(limits.requestMsMax);
  expect(failureOf(await slow)).toMatchObject({
    kind: "network",
    message: `No answer within ${limits.requestMsMax} ms.`,
  });
  expect(requests[0]?.signal.aborted).toBe(true);

  const stop = new AbortController();
  const given = transport.pull(null, stop.signal);
  await env.advance(0);
  stop.abort();
  expect(failureOf(await given).kind).toBe("network");
  expect(env.timerCount).toBe(0);
  expect(failureOf(await transport.pull(null, stop.signal)).kind).toBe("network");
});
