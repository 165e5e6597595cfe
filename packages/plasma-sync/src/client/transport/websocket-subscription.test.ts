// Owns: createWebSocketSubscription before and around its code: what it refuses at the call, and a client that ends while it loads.

import { expect, test, vi } from "vitest";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import { isPlasmaError } from "../../core/error.ts";
import type { SubscribeSession } from "../plasma-client.ts";
import { createClientStatus } from "../sync/client-status.ts";
import { createSocketPairs } from "./socket-pair.fixture.ts";
import { createWebSocketSubscription } from "./websocket-subscription.ts";

const session = (): SubscribeSession => ({
  clientID: "c1",
  clientGroupID: "ada",
  replicaID: "r1",
  schemaVersion: "1",
  cookie: () => null,
  status: createClientStatus(),
  env: createVirtualEnv(),
  connected: () => undefined,
  setAuth: () => undefined,
  report: () => undefined,
});

test.each([
  ["url", { url: "" }],
  ["room", { url: "/sync/coordinator", room: "" }],
  ["initialReconnectDelayMs", { url: "/sync/coordinator", initialReconnectDelayMs: 0 }],
  ["maxReconnectDelayMs", { url: "/sync/coordinator", maxReconnectDelayMs: Infinity }],
])("a %s that cannot work is refused at the call", (option, options) => {
  const call = () => createWebSocketSubscription(options);
  expect(call).toThrow(
    expect.toSatisfy((error) => isPlasmaError(error, "client/option") && error.data.option === option),
  );
});

test("it connects to the room global when none is named, once its code is there", async () => {
  const pairs = createSocketPairs();
  const { WebSocketImpl } = pairs;
  const close = createWebSocketSubscription({ url: "/sync/coordinator", WebSocketImpl })(() => undefined, session());
  await vi.waitFor(() => expect(pairs.ends).toHaveLength(1));
  expect(pairs.last().url.searchParams.get("room")).toBe("global");
  close();
  expect(pairs.last().isOpen).toBe(false);
});

test("a client that ends before the code is there opens nothing", async () => {
  const pairs = createSocketPairs();
  const { WebSocketImpl } = pairs;
  createWebSocketSubscription({ url: "/sync/coordinator", WebSocketImpl })(() => undefined, session())();
  await import("./sync-socket.ts");
  await Promise.resolve();
  expect(pairs.ends).toEqual([]);
});
