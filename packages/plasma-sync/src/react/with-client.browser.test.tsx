// The hooks with a real client: storage in memory, and a server that a test answers for.
import { StrictMode, type ReactNode } from "react";
import { flushSync } from "react-dom";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPlasmaClient } from "../client/client.ts";
import type { PlasmaClient } from "../client/plasma-client.ts";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import type { PushRequest } from "../core/protocol/push.ts";
import { eq } from "../core/query/expressions.ts";
import { boolean, id, text } from "../core/schema/column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import { PlasmaProvider } from "./plasma-provider.tsx";
import { useLiveQuery, useLiveQueryResult } from "./use-live-query.ts";
import { useMutation, type UseMutationOptions, type UseMutationResult } from "./use-mutation.ts";
import { useSyncStatus, type SyncStatus } from "./use-sync-status.ts";

const todos = table("todos", { id: id(), title: text(), done: boolean().default(false) });
const schema = defineSchema({ todos });
type Input<Args> = MutatorInput<typeof schema, unknown, Args>;
const mutators = defineMutators<typeof schema, unknown>()({
  add: async ({ db, args, newId }: Input<{ title: string }>) => {
    if (args.title === "") throw new Error("It needs a title");
    await db.insert(todos).values({ id: newId(), title: args.title });
  },
});

let element: HTMLElement;
let root: Root;
let client: PlasmaClient<typeof schema, typeof mutators>;
/** How the server answers a push; null leaves it without a network. */
let answer: ((push: PushRequest) => object) | null;
const unhandled: unknown[] = [];
const onUnhandled = (event: PromiseRejectionEvent) => unhandled.push(event.reason);

const applied = ({ mutations, clientID }: PushRequest) => ({
  ok: true,
  results: mutations.map((mutation) => ({ clientID, id: mutation.id, status: "applied" })),
  lastMutationIDs: { [clientID]: mutations.at(-1)?.id ?? 0 },
});
const refused = ({ mutations, clientID }: PushRequest) => ({
  ok: true,
  results: mutations.map(({ id }) => {
    return { clientID, id, status: "rejected", error: { code: "mutation/app", message: "No more todos today" } };
  }),
  lastMutationIDs: { [clientID]: mutations.at(-1)?.id ?? 0 },
});

async function fetcher(request: Request): Promise<Response> {
  if (answer === null) throw new TypeError("no network");
  if (request.method === "POST") return Response.json(answer((await request.json()) as PushRequest));
  return Response.json({ cookie: "c1:eyIwIjoiMSJ9", patch: [], lastMutationIDs: {} });
}

beforeEach(() => {
  answer = applied;
  unhandled.length = 0;
  window.addEventListener("unhandledrejection", onUnhandled);
  client = createPlasmaClient({
    schema,
    mutators,
    fetcher,
    dbName: "react",
    endpoint: "/sync",
    schemaVersion: "1",
    clientGroupID: "ada",
    getContext: () => ({}),
    storage: "memory",
    retry: { initialDelayMs: 5, maxDelayMs: 5 },
    pollIntervalMs: 20,
  });
  element = document.body.appendChild(document.createElement("div"));
  root = createRoot(element);
});
afterEach(async () => {
  root.unmount();
  element.remove();
  await client.close();
  window.removeEventListener("unhandledrejection", onUnhandled);
});

const show = (node: ReactNode) => flushSync(() => root.render(<PlasmaProvider client={client}>{node}</PlasmaProvider>));
const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });

function Titles() {
  const rows = useLiveQuery((db) => db.select().from(todos).where(eq(todos.done, false)));
  return <p>{rows.map((row) => row.title).join(", ") || "nothing"}</p>;
}

type Add = UseMutationResult<typeof mutators, "add">;
function showAdd(options?: UseMutationOptions<{ title: string }>): { current: Add } {
  const held: { current: Add | null } = { current: null };
  function Probe() {
    const result = useMutation<typeof mutators, "add">("add", options);
    return (
      <button ref={() => void (held.current = result)}>
        {result.isPending ? "pending" : "idle"} {result.error?.message ?? "fine"}
      </button>
    );
  }
  show(
    <StrictMode>
      <Probe />
      <Titles />
    </StrictMode>,
  );
  return held as { current: Add };
}

test("a mutation shows in live queries, is pending until durable, and calls back once", async () => {
  const calls: unknown[] = [];
  const add = showAdd({
    onSuccess: (args) => calls.push(["success", args]),
    onSettled: (error, args) => calls.push(["settled", error, args]),
    onError: (error) => calls.push(error),
  });
  await add.current.mutate({ title: "Rest" });
  await until(() => expect(element.textContent).toBe("idle fineRest"));
  await add.current.mutate({ title: "Rest more" }).server;
  expect(calls.slice(0, 2)).toEqual([
    ["success", { title: "Rest" }],
    ["settled", null, { title: "Rest" }],
  ]);
  expect(calls).toHaveLength(4);
});

test("a mutation that fails at the call is reported once and raises no unhandledrejection", async () => {
  const calls: unknown[] = [];
  const add = showAdd({
    onError: (error, args) => calls.push([error.message, args]),
    onSettled: (error) => calls.push(error?.message),
  });
  void add.current.mutate({ title: "" });
  await until(() => expect(calls).toHaveLength(2));
  expect(calls[0]).toEqual([expect.stringContaining("It needs a title"), { title: "" }]);
  expect(calls[1]).toContain("It needs a title");
  expect(element.textContent).toContain("idle It needs a title");
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(unhandled).toEqual([]);
});

test("a later refusal shows as the error, calls onError alone, and takes the row away", async () => {
  answer = null;
  const calls: unknown[] = [];
  const add = showAdd({
    onSuccess: () => calls.push("success"),
    onSettled: () => calls.push("settled"),
    onError: (error, args) => calls.push([error.message, args]),
  });
  void add.current.mutate({ title: "Too much" });
  await until(() => expect(element.textContent).toBe("idle fineToo much"));
  expect(calls).toEqual(["success", "settled"]);
  answer = refused;
  await until(() => expect(element.textContent).toBe("idle No more todos todaynothing"));
  expect(calls.slice(2)).toEqual([["No more todos today", { title: "Too much" }]]);
  expect(unhandled).toEqual([]);
});

test("the error goes with reset and with the next call", async () => {
  const add = showAdd();
  void add.current.mutate({ title: "" });
  await until(() => expect(element.textContent).toContain("It needs a title"));
  add.current.reset();
  await until(() => expect(element.textContent).toContain("idle fine"));
  void add.current.mutate({ title: "" });
  await until(() => expect(element.textContent).toContain("It needs a title"));
  void add.current.mutate({ title: "Rest" });
  await until(() => expect(element.textContent).toBe("idle fineRest"));
});

test("closing the client is no refusal", async () => {
  answer = null;
  const errors: unknown[] = [];
  const add = showAdd({ onError: (error) => errors.push(error) });
  await add.current.mutate({ title: "Later" });
  await until(() => expect(element.textContent).toBe("idle fineLater"));
  await client.close();
  expect(errors).toEqual([]);
  expect(element.textContent).toContain("idle fine");
  expect(unhandled).toEqual([]);
});

test("mutate keeps its identity from render to render", async () => {
  const add = showAdd();
  const before = add.current.mutate;
  void before({ title: "Rest" });
  await until(() => expect(element.textContent).toContain("Rest"));
  expect(add.current.mutate).toBe(before);
});

test("useSyncStatus counts what waits, and renders only when one of its fields changed", async () => {
  answer = null;
  const seen: SyncStatus[] = [];
  function Status() {
    const status = useSyncStatus();
    seen.push(status);
    return <p>{status.outboxDepth} waiting</p>;
  }
  show(<Status />);
  void client.mutate.add({ title: "Rest" });
  await until(() => expect(element.textContent).toBe("1 waiting"));
  await until(() => expect(seen.at(-1)?.lastError?.kind).toBe("network"));
  answer = applied;
  await until(() => expect(seen.at(-1)?.lastError).toBe(null));
  const pairs = seen.slice(1).map((status, i) => [seen[i], status]);
  for (const [before, after] of pairs) expect(after).not.toEqual(before);
});

test("status tells an empty list from one that has not arrived", async () => {
  answer = null;
  const seen: string[] = [];
  function Status() {
    const { rows, status } = useLiveQueryResult((db) => db.select().from(todos));
    seen.push(`${rows.length} ${status}`);
    return null;
  }
  show(<Status />);
  await until(() => expect(seen.at(-1)).toBe("0 partial"));
  answer = applied;
  await until(() => expect(seen.at(-1)).toBe("0 complete"));
});
