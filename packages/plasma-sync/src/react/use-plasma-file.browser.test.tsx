// usePlasmaFile with a real client: storage in memory, and a server that a test answers for.
import { StrictMode, type ReactNode } from "react";
import { flushSync } from "react-dom";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPlasmaClient } from "../client/client.ts";
import type { PlasmaClient } from "../client/plasma-client.ts";
import { toHex } from "../core/lib/hex.ts";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import { id } from "../core/schema/column.ts";
import { file } from "../core/schema/file-column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import type { FileRef } from "../core/schema/value.ts";
import type { PlasmaFile } from "./file-store.ts";
import { PlasmaProvider } from "./plasma-provider.tsx";
import { useLiveQuery } from "./use-live-query.ts";
import { usePlasmaFile } from "./use-plasma-file.ts";

const notes = table("notes", { id: id(), cover: file().nullable() });
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, unknown>()({
  add: async ({ db, args, newId }: MutatorInput<typeof schema, unknown, { cover: FileRef | null }>) => {
    await db.insert(notes).values({ id: newId(), cover: args.cover });
  },
});

let element: HTMLElement;
let root: Root;
let client: PlasmaClient<typeof schema, typeof mutators>;
/** What the server has, by hash. */
let bytesByHash: Map<string, string>;
/** Answers in the server's place. */
let blobAnswer: (() => Promise<Response>) | null;
const requests: string[] = [];
/** Object URLs that live. */
const urls = new Set<string>();

async function fetcher(request: Request): Promise<Response> {
  const hash = /\/blob\/(\w+)$/.exec(request.url)?.[1];
  if (hash === undefined) {
    if (request.method === "POST") return new Response(null, { status: 503 });
    return Response.json({ cookie: "c1:eyIwIjoiMSJ9", patch: [], lastMutationIDs: {} });
  }
  requests.push(`${request.method} ${hash.slice(0, 4)}`);
  if (blobAnswer !== null) return blobAnswer();
  const bytes = bytesByHash.get(hash);
  if (request.method === "PUT") return new Response(null, { status: 204 });
  return bytes === undefined ? Response.json({ code: "blob/not-found" }, { status: 404 }) : new Response(bytes);
}

async function refOf(text: string, mime = "text/plain"): Promise<FileRef> {
  const bytes = new TextEncoder().encode(text);
  const hash = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  return { hash, size: bytes.length, mime };
}

beforeEach(() => {
  bytesByHash = new Map();
  blobAnswer = null;
  requests.length = 0;
  urls.clear();
  const { createObjectURL, revokeObjectURL } = URL;
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    const url = createObjectURL.call(URL, blob);
    urls.add(url);
    return url;
  });
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => {
    urls.delete(url);
    revokeObjectURL.call(URL, url);
  });
  client = createPlasmaClient({
    schema,
    mutators,
    fetcher,
    dbName: "react-files",
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
  vi.restoreAllMocks();
});

let shown: PlasmaFile[] = [];
function Shown({ of }: { readonly of: FileRef | null }): ReactNode {
  const found = usePlasmaFile(of);
  shown.push(found);
  return <i data-status={found.status} data-url={found.url} />;
}
const render = (node: ReactNode) => {
  shown = [];
  flushSync(() => root.render(<PlasmaProvider client={client}>{node}</PlasmaProvider>));
};
const statuses = () => [...element.querySelectorAll("i")].map((each) => each.dataset["status"]);
const urlsShown = () => [...element.querySelectorAll("i")].map((each) => each.dataset["url"]);
const until = (expected: (string | undefined)[]) => vi.waitFor(() => expect(statuses()).toEqual(expected));

test("a file is fetched once for all who show it, under one URL that works and is revoked when nobody does", async () => {
  const ref = await refOf("hello");
  bytesByHash.set(ref.hash, "hello");
  render([<Shown key="a" of={ref} />, <Shown key="b" of={{ ...ref }} />]);
  expect(statuses()).toEqual(["pending", "pending"]);
  await until(["ready", "ready"]);
  const [url, other] = urlsShown();
  expect(other).toBe(url);
  expect(requests).toHaveLength(1);
  expect(await (await fetch(url ?? "")).text()).toBe("hello");
  render([<Shown key="b" of={ref} />]);
  await Promise.resolve();
  expect([...urls]).toEqual([url]);
  render([]);
  await vi.waitFor(() => expect(urls.size).toBe(0));
});

test("in StrictMode, and when a list gives way to a detail, the file stays as it is", async () => {
  const ref = await refOf("strict");
  bytesByHash.set(ref.hash, "strict");
  render(
    <StrictMode>
      <Shown of={ref} />
    </StrictMode>,
  );
  await until(["ready"]);
  const [url] = urlsShown();
  expect([...urls]).toEqual([url]);
  render(
    <StrictMode>
      <p>
        <Shown of={ref} />
      </p>
    </StrictMode>,
  );
  expect(shown.at(0)?.url).toBe(url);
  await Promise.resolve();
  expect([urlsShown(), [...urls], requests.length]).toEqual([[url], [url], 1]);
});

test("another file shows nothing of the one before", async () => {
  const [one, two] = [await refOf("one"), await refOf("two")];
  bytesByHash.set(one.hash, "one").set(two.hash, "two");
  render(<Shown of={one} />);
  await until(["ready"]);
  const [before] = urlsShown();
  render(<Shown of={two} />);
  expect(shown[0]).toMatchObject({ status: "pending", url: null });
  await until(["ready"]);
  await vi.waitFor(() => expect([...urls]).toEqual(urlsShown()));
  expect(urlsShown()).not.toEqual([before]);
});

test("without a ref, and for what the server shows to nobody, the file is missing", async () => {
  render([<Shown key="a" of={null} />, <Shown key="b" of={await refOf("unknown")} />]);
  await until(["missing", "missing"]);
  expect(shown.at(-1)).toEqual({ status: "missing", url: null, bytes: null, progress: null, error: null });
});

test("what does not come is an error that says why, and is shown when the network is back", async () => {
  const ref = await refOf("late");
  bytesByHash.set(ref.hash, "late");
  blobAnswer = () => Promise.reject(new TypeError("no network"));
  render(<Shown of={ref} />);
  await until(["error"]);
  expect(shown.at(-1)?.error?.message).toMatch(/no network.*client\/download/);
  blobAnswer = null;
  window.dispatchEvent(new Event("online"));
  await until(["ready"]);
});

test("bytes other than the ref says are not shown", async () => {
  const ref = await refOf("right");
  for (const wrong of ["wrong", "right and more"]) {
    bytesByHash.set(ref.hash, wrong);
    expect(await client.readFile(ref)).toMatchObject({ status: "error", error: { code: "client/download" } });
  }
});

test("bytes that ride in the ref need no request", async () => {
  render(<Shown of={{ ...(await refOf("hi", "text/html")), inline: btoa("hi") }} />);
  await until(["ready"]);
  expect(requests).toEqual([]);
  expect(await shown.at(-1)?.bytes?.text()).toBe("hi");
  expect(shown.at(-1)?.bytes?.type).toBe("text/html");
});

function Covers(): ReactNode {
  const rows = useLiveQuery((db) => db.select().from(notes));
  return rows.map((row) => <Shown key={row.id} of={row.cover} />);
}

test("a file just given to mutate is shown at once, and keeps its URL while it is uploaded", async () => {
  render(<Covers />);
  const gate = Promise.withResolvers<Response>();
  blobAnswer = () => gate.promise;
  await client.mutate.add({ cover: new File(["mine"], "m.txt", { type: "text/plain" }) });
  await until(["uploading"]);
  const [url] = urlsShown();
  expect(shown.at(-1)?.progress).toEqual({ loadedBytes: 0, totalBytes: 4 });
  expect((await client.pending()).map(({ state }) => state)).toEqual(["held"]);
  gate.resolve(new Response(null, { status: 204 }));
  await until(["ready"]);
  expect(urlsShown()).toEqual([url]);
  expect(shown.at(-1)?.progress).toBeNull();
});

test("a download that nobody waits for any more is given up", async () => {
  const signals: AbortSignal[] = [];
  const asked = Promise.withResolvers<void>();
  const own = createPlasmaClient({
    schema,
    mutators,
    dbName: "react-files",
    endpoint: "/sync",
    schemaVersion: "1",
    clientGroupID: "ada",
    getContext: () => ({}),
    storage: "memory",
    fetcher: (request) => {
      if (!request.url.includes("/blob/")) return fetcher(request);
      signals.push(request.signal);
      asked.resolve();
      return new Promise(() => undefined);
    },
  });
  const ref = await refOf("never");
  const unwatch = own.watchFile(ref, () => undefined);
  await asked.promise;
  const waiting = new AbortController();
  const read = own.readFile(ref, { signal: waiting.signal });
  unwatch();
  expect(signals[0]?.aborted).toBe(false);
  waiting.abort(new DOMException("enough", "AbortError"));
  await expect(read).rejects.toThrow("enough");
  await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true));
  await own.close();
});
