import { act, StrictMode, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSocketPairs, type FarEnd, type SocketPairs } from "../client/transport/socket-pair.fixture.ts";
import { PlasmaProvider } from "./plasma-provider.tsx";
import type { AnyPlasmaClient } from "./register.ts";
import { usePresence, type UsePresenceOptions, type UsePresenceResult } from "./use-presence.ts";

let element: HTMLElement;
let root: Root;
let pairs: SocketPairs;
let roomCount = 0;
/** A room of its own for each test. */
let room: string;
/** What each render of each component was given. */
let renders: { readonly who: string; readonly result: UsePresenceResult }[];

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  room = `room ${(roomCount += 1)}`;
  renders = [];
  pairs = createSocketPairs();
  pairs.onConnect = (end) => end.accept();
  pairs.onFrame = (end, text) => text === "ping" && end.send("pong");
  element = document.body.appendChild(document.createElement("div"));
  root = createRoot(element);
});
afterEach(async () => {
  await act(async () => root.unmount());
  element.remove();
  await vi.waitFor(() => expect(pairs.ends.every(({ isOpen }) => !isOpen)).toBe(true));
});

function Viewer({ who = "a", ...given }: Partial<UsePresenceOptions> & { readonly who?: string }) {
  const options = { url: "/sync/coordinator", room, WebSocketImpl: pairs.WebSocketImpl, ...given };
  const result = usePresence(options);
  renders.push({ who, result });
  return <p data-who={who}>{result.peers.map(({ clientID }) => clientID).join(" ")}</p>;
}

const show = (node: ReactNode) => act(async () => root.render(node));
/** Waits for real turns inside `act`: the code of the room loads by `import()`. */
const until = (check: () => void) => act(async () => vi.waitFor(check));
const tell = (frame: object) => act(async () => pairs.last().send(JSON.stringify(frame)));
const sent = (end: FarEnd): unknown[] => end.received.filter((text) => text !== "ping").map((text) => JSON.parse(text));
const everybody = (...ids: string[]) => ({
  type: "presence",
  entries: ids.map((clientID) => ({ clientID, userInfo: null })),
});
const last = () => renders.at(-1)?.result ?? expect.fail("nothing was rendered");
const opened = () => until(() => expect(sent(pairs.last())).toHaveLength(1));

test("it shows who is there, and renders again only when that has changed", async () => {
  await show(<Viewer clientID="me" />);
  expect(last()).toMatchObject({ all: [], peers: [], me: null, connecting: true, error: null });
  await opened();
  await tell(everybody("me", "b"));
  expect(element.textContent).toBe("b");
  expect(last()).toMatchObject({ me: { clientID: "me" }, connecting: false });
  const count = renders.length;
  await tell(everybody("me", "b"));
  await tell({ type: "poke" });
  await show(<Viewer clientID="me" />);
  expect(renders.length, "the parent's render, and no other").toBe(count + 1);
  expect(last()).toBe(renders.at(-2)?.result);
  await tell({ type: "presence-delta", put: [], del: ["b"] });
  expect(element.textContent).toBe("");
});

test("in StrictMode there is one socket, and none when the component is gone", async () => {
  await show(
    <StrictMode>
      <Viewer />
    </StrictMode>,
  );
  await opened();
  expect(pairs.ends).toHaveLength(1);
  await show(null);
  await until(() => expect(pairs.last().isOpen).toBe(false));
});

test("a component that goes before the code has loaded opens nothing", async () => {
  await show(<Viewer />);
  await show(null);
  await act(async () => import("../client/presence/presence.ts"));
  expect(pairs.ends).toHaveLength(0);
});

test("components share a socket, as long as one of them is there", async () => {
  const two = (
    <>
      <Viewer who="one" clientID="me" key="one" />
      <Viewer who="two" clientID="me" key="two" />
    </>
  );
  await show(two);
  await opened();
  await tell(everybody("b"));
  expect([...element.querySelectorAll("p")].map(({ textContent }) => textContent)).toEqual(["b", "b"]);
  await show(<Viewer who="two" clientID="me" key="two" />);
  await tell(everybody("b", "c"));
  expect([element.textContent, pairs.ends.length, pairs.last().isOpen]).toEqual(["b c", 1, true]);
});

test("the client of the provider names the tab and its user", async () => {
  const client = { clientID: "tab", clientGroupID: "ada" } as AnyPlasmaClient;
  await show(
    <PlasmaProvider client={client}>
      <Viewer token="t" />
    </PlasmaProvider>,
  );
  await opened();
  expect(Object.fromEntries(pairs.last().url.searchParams)).toMatchObject({
    clientID: "tab",
    clientGroupID: "ada",
    token: "t",
    room,
  });
});

test("userInfo goes out when its content changes, not with every render", async () => {
  await show(<Viewer userInfo={{ name: "Ada", at: [1] }} />);
  await opened();
  await show(<Viewer userInfo={{ name: "Ada", at: [1] }} />);
  await show(<Viewer userInfo={{ name: "Ada", at: [2] }} />);
  expect(sent(pairs.last())).toEqual([
    { type: "hello", userInfo: { name: "Ada", at: [1] } },
    { type: "presence", userInfo: { name: "Ada", at: [2] } },
  ]);
});

test("update may be called before there is a connection, keeps its identity, and outlives renders", async () => {
  await show(<Viewer userInfo={{ x: 1 }} />);
  const { update } = last();
  update({ x: 2 });
  await opened();
  expect(sent(pairs.last())).toEqual([{ type: "hello", userInfo: { x: 2 } }]);
  await show(<Viewer userInfo={{ x: 1 }} />);
  expect(last().update).toBe(update);
  expect(sent(pairs.last())).toHaveLength(1);
});

test("another room is another socket, and nobody of the old one is shown in it", async () => {
  await show(<Viewer />);
  await opened();
  await tell(everybody("old"));
  await show(<Viewer room={`${room} next`} />);
  expect(element.textContent).toBe("");
  await until(() => expect(pairs.ends.map(({ isOpen }) => isOpen)).toEqual([false, true]));
  await opened();
  await tell(everybody("new"));
  expect(element.textContent).toBe("new");
});

test("a new function for the token is no reason to reconnect, and is asked when there is one", async () => {
  const asked: string[] = [];
  const token = (name: string) => () => {
    asked.push(name);
    return name;
  };
  await show(<Viewer token={token("first")} />);
  await opened();
  await show(<Viewer token={token("second")} />);
  expect([pairs.ends.length, asked]).toEqual([1, ["first"]]);
  pairs.last().close(4401);
  await until(() => expect(asked).toEqual(["first", "second"]));
});
