import { act, StrictMode, startTransition, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LiveQuery, LiveQueryStatus } from "../core/query/live-query.ts";
import { PlasmaProvider } from "./plasma-provider.tsx";
import type { AnyPlasmaClient } from "./register.ts";
import { useLiveQuery, useLiveQueryResult } from "./use-live-query.ts";

/** A LiveQuery whose deliveries a test makes one by one, to reach every moment between them. */
class ScriptedQuery<R> implements LiveQuery<R> {
  readonly ast = { type: "select" } as LiveQuery<R>["ast"];
  status: LiveQueryStatus = "loading";
  #rows: readonly R[] = [];
  readonly #listeners = new Set<(rows: readonly R[]) => void>();

  constructor(rows?: readonly R[]) {
    if (rows !== undefined) this.deliver(rows);
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  deliver(rows: readonly R[], status: LiveQueryStatus = "complete"): void {
    this.status = status;
    this.#rows = rows;
    for (const listener of this.#listeners) listener(rows);
  }

  subscribe(listener: (rows: readonly R[]) => void): () => void {
    this.#listeners.add(listener);
    if (this.status !== "loading") listener(this.#rows);
    return () => this.#listeners.delete(listener);
  }

  subscribeDelta(): never {
    throw new Error("the hooks do not use it");
  }

  whenReady(): Promise<readonly R[]> {
    return Promise.resolve(this.#rows);
  }
}

/** A client for tests of live queries alone: nothing of it is used but its identity. */
const inertClient = (): AnyPlasmaClient => ({ db: {} }) as AnyPlasmaClient;

interface Todo {
  readonly id: string;
}
const a: Todo = { id: "a" };
const b: Todo = { id: "b" };
const c: Todo = { id: "c" };

let element: HTMLElement;
let root: Root;
let client = inertClient();

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  client = inertClient();
  element = document.body.appendChild(document.createElement("div"));
  root = createRoot(element);
});
afterEach(async () => {
  await act(async () => root.unmount());
  element.remove();
});

const show = (node: ReactNode) => act(async () => root.render(<PlasmaProvider client={client}>{node}</PlasmaProvider>));
const text = (rows: readonly Todo[]) => rows.map((row) => row.id).join("") || "none";

/** Keeps what each render was given. */
function Rows({ query, renders }: { query: ScriptedQuery<Todo> | null; renders: string[] }) {
  const rows = useLiveQuery(() => query, [query]);
  renders.push(text(rows));
  return <p>{text(rows)}</p>;
}

function Result({ query, renders }: { query: ScriptedQuery<Todo> | null; renders: string[] }) {
  const { rows, status } = useLiveQueryResult(() => query, [query]);
  renders.push(`${text(rows)} ${status}`);
  return <p>{text(rows)}</p>;
}

test("rows that are in memory show in the first paint", async () => {
  const query = new ScriptedQuery([a, b]);
  const screens: string[] = [];
  // What a commit and its layout effects leave is what the browser paints; an effect after that comes too late.
  const observer = new MutationObserver(() => screens.push(element.textContent ?? ""));
  observer.observe(element, { subtree: true, childList: true, characterData: true });
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;
  root.render(
    <PlasmaProvider client={client}>
      <Rows query={query} renders={[]} />
    </PlasmaProvider>,
  );
  await vi.waitFor(() => expect(element.textContent).toBe("ab"));
  observer.disconnect();
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  expect(screens).toEqual(["ab"]);
});

test("a query that has not delivered gives no rows and says so", async () => {
  const query = new ScriptedQuery<Todo>();
  const renders: string[] = [];
  await show(<Result query={query} renders={renders} />);
  expect(renders).toEqual(["none loading"]);
  await act(async () => query.deliver([a], "partial"));
  await act(async () => query.deliver([a], "complete"));
  expect(renders).toEqual(["none loading", "a partial", "a complete"]);
});

test("a component renders again only when a row or the order has changed", async () => {
  const query = new ScriptedQuery([a, b]);
  const renders: string[] = [];
  await show(<Rows query={query} renders={renders} />);
  const renderCount = renders.length;
  await act(async () => query.deliver([a, b], "partial"));
  await act(async () => query.deliver([a, b], "complete"));
  expect(renders).toHaveLength(renderCount);
  await act(async () => query.deliver([b, a]));
  expect(renders.slice(renderCount)).toEqual(["ba"]);
});

test("changed deps keep the rows before until the new query has delivered", async () => {
  const [first, second] = [new ScriptedQuery([a, b]), new ScriptedQuery<Todo>()];
  const renders: string[] = [];
  await show(<Result query={first} renders={renders} />);
  renders.length = 0;
  await show(<Result query={second} renders={renders} />);
  expect(element.textContent).toBe("ab");
  expect(first.listenerCount).toBe(0);
  await act(async () => second.deliver([c]));
  expect(element.textContent).toBe("c");
  expect(renders).toEqual(["ab complete", "ab loading", "c complete"]);
});

test("deps that change faster than queries deliver end on the last one", async () => {
  const [first, second, third] = [new ScriptedQuery([a]), new ScriptedQuery<Todo>(), new ScriptedQuery<Todo>()];
  const renders: string[] = [];
  await show(<Rows query={first} renders={renders} />);
  await show(<Rows query={second} renders={renders} />);
  await show(<Rows query={third} renders={renders} />);
  await act(async () => third.deliver([c]));
  await act(async () => second.deliver([b]));
  expect(element.textContent).toBe("c");
  expect(renders.slice(renders.indexOf("a"))).not.toContain("none");
});

test("a factory that gives null is off: no rows, no subscription, and on again later", async () => {
  const query = new ScriptedQuery([a]);
  const renders: string[] = [];
  await show(<Result query={query} renders={renders} />);
  renders.length = 0;
  await show(<Result query={null} renders={renders} />);
  expect(new Set(renders)).toEqual(new Set(["none off"]));
  expect(query.listenerCount).toBe(0);
  await show(<Result query={query} renders={renders} />);
  expect(element.textContent).toBe("a");
});

test("a factory is given the client's db, and may return a select without live()", async () => {
  const query = new ScriptedQuery([a]);
  const given: unknown[] = [];
  function Select() {
    const rows = useLiveQuery((db) => {
      given.push(db);
      return { live: () => query };
    });
    return <p>{text(rows)}</p>;
  }
  await show(<Select />);
  expect(element.textContent).toBe("a");
  expect(new Set(given)).toEqual(new Set([client.db]));
});

test("StrictMode leaves one subscription while mounted and none after", async () => {
  const query = new ScriptedQuery([a]);
  await show(
    <StrictMode>
      <Rows query={query} renders={[]} />
    </StrictMode>,
  );
  expect(query.listenerCount).toBe(1);
  expect(element.textContent).toBe("a");
  await show(null);
  expect(query.listenerCount).toBe(0);
});

test("rows of one client are never shown under another", async () => {
  const renders: string[] = [];
  const queries = new Map([[client, new ScriptedQuery([a])]]);
  function Mine({ of }: { of: typeof client }) {
    const rows = useLiveQuery(() => queries.get(of) ?? null, []);
    renders.push(text(rows));
    return <p>{text(rows)}</p>;
  }
  await show(<Mine of={client} />);
  expect(element.textContent).toBe("a");
  renders.length = 0;
  client = inertClient();
  queries.set(client, new ScriptedQuery<Todo>());
  await show(<Mine of={client} />);
  expect(new Set(renders)).toEqual(new Set(["none"]));
});

test("components of one commit agree, also when a delivery comes in the middle of a concurrent render", async () => {
  const query = new ScriptedQuery([a]);
  const commits: string[] = [];
  let armed = false;
  const deliverOnce = () => {
    if (!armed) return;
    armed = false;
    query.deliver([a, b]);
  };
  function Half({ betweenRenders }: { betweenRenders?: () => void }) {
    const rows = useLiveQuery(() => query, []);
    betweenRenders?.();
    return <i>{text(rows)}</i>;
  }
  const both = (step: number) => (
    <PlasmaProvider client={client}>
      <Half key={`left${step}`} />
      <Half key={`right${step}`} betweenRenders={deliverOnce} />
    </PlasmaProvider>
  );
  await act(async () => root.render(both(0)));
  const observer = new MutationObserver(() => commits.push(element.textContent ?? ""));
  observer.observe(element, { subtree: true, childList: true, characterData: true });
  armed = true;
  await act(async () => startTransition(() => root.render(both(1))));
  observer.disconnect();
  expect(element.textContent).toBe("abab");
  for (const commit of commits) expect(commit).toMatch(/^(\w+)\1$/);
});
