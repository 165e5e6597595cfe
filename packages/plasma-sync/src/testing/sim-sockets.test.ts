// Simulated sockets mean what a page and a server may expect of WebSockets over TCP, and break as those do.

import { expect, test } from "vitest";
import { SimClock, SimLife } from "./sim-clock.ts";
import { calm, type NetworkFaults } from "./sim-network.ts";
import { SimRandom } from "./sim-random.ts";
import { SimSockets, type SimFrame, type SimServerSocket, type SimUpgrade } from "./sim-sockets.ts";

const URL_OF_ALL = "ws://plasma.test/sync/coordinator?room=r";

function open({ seed = 1, upgrade }: { readonly seed?: number; readonly upgrade?: SimUpgrade } = {}) {
  const clock = new SimClock();
  const page = new SimLife("tab 1");
  const process = new SimLife("server 1");
  const log: string[] = [];
  const notes: string[] = [];
  const frames: SimFrame[] = [];
  const servers: SimServerSocket[] = [];
  const cutOff = new Set<string>();
  const state: { faults: NetworkFaults; isUp: boolean } = { faults: { ...calm, delayMsMax: 50 }, isUp: true };
  const accept: SimUpgrade = async (request, socket) => {
    log.push(`server: upgrade of ${request.headers.get("x-user")}`);
    socket.onMessage = (text) => void log.push(`server: ${text}`);
    socket.onClose = (code) => void log.push(`server: closed ${code}`);
    servers.push(socket);
    return "accepted";
  };
  const sockets = new SimSockets({
    clock,
    random: new SimRandom(seed),
    server: () => (state.isUp ? { life: process, upgrade: upgrade ?? accept } : null),
    faults: () => state.faults,
    isCutOff: (device) => cutOff.has(device),
    note: (what) => void notes.push(what),
    onFrame: (frame) => void frames.push(frame),
  });
  const WebSocketOfPage = sockets.webSocketOf({ device: "d1", life: page, headers: () => ({ "x-user": "ada" }) });
  const socket = new WebSocketOfPage(URL_OF_ALL) as WebSocket;
  for (const type of ["open", "message", "error", "close"] as const)
    socket.addEventListener(type, (event) => {
      const { data, code } = event as MessageEvent<string> & CloseEvent;
      log.push(["page:", type, data ?? code].filter((part) => part !== undefined).join(" "));
    });
  return { clock, page, process, log, notes, frames, servers, cutOff, state, sockets, socket };
}

test("a socket opens with the page's headers, and messages arrive in order on both ends", async () => {
  const { clock, log, socket, servers } = open();
  await clock.advance(100);
  for (const text of ["1", "2", "3"]) socket.send(text);
  for (const text of ["a", "b", "c"]) servers[0]?.send(text);
  await clock.advance(200);
  expect(log.slice(0, 2)).toEqual(["server: upgrade of ada", "page: open"]);
  expect(log.filter((line) => /server: \d/.test(line))).toEqual(["server: 1", "server: 2", "server: 3"]);
  expect(log.filter((line) => line.startsWith("page: message"))).toEqual(
    ["a", "b", "c"].map((t) => `page: message ${t}`),
  );
});

test("either end closes it, and both hear of the code once", async () => {
  for (const isPage of [true, false]) {
    const { clock, log, socket, servers, sockets } = open();
    await clock.advance(100);
    if (isPage) socket.close(4001);
    else servers[0]?.close(4401, "auth");
    servers[0]?.send("too late");
    await clock.advance(200);
    const code = isPage ? 4001 : 4401;
    expect(log.filter((line) => line.includes("close"))).toHaveLength(2);
    expect(log).toContain(`page: close ${code}`);
    expect(log).toContain(`server: closed ${code}`);
    expect(sockets.count).toBe(0);
  }
});

test("a cut takes what is under way and all that follows; each end learns of it at once or never", async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const { clock, log, socket, servers, state, notes } = open({ seed });
    await clock.advance(100);
    state.faults = { ...state.faults, socketCut: 0.3 };
    for (let i = 0; i < 20; i++) socket.send(String(i));
    state.faults = { ...state.faults, socketCut: 0 };
    servers[0]?.send("after");
    await clock.advance(60_000);
    const arrived = log.filter((line) => /server: \d/.test(line));
    expect(arrived).toEqual(arrived.map((_, i) => `server: ${i}`));
    expect(arrived.length).toBeLessThan(20);
    expect(log).not.toContain("page: message after");
    const heard = ["page: close 1006", "server: closed 1006"].map((line) => log.filter((one) => one === line).length);
    seen.add(heard.join());
    expect(notes).toContain(heard.join() === "1,1" ? "socket: cut" : "socket: half-open");
  }
  expect([...seen].sort()).toEqual(["0,0", "0,1", "1,0", "1,1"]);
});

test("what a frozen tab does not take counts as buffered, and reaches it in order when it goes on", async () => {
  const { clock, log, page, servers } = open();
  await clock.advance(100);
  page.freeze();
  for (const text of ["one", "two"]) servers[0]?.send(text);
  await clock.advance(1000);
  expect(servers[0]?.bufferedBytes).toBe(6);
  page.resume();
  expect(servers[0]?.bufferedBytes).toBe(0);
  expect(log.slice(-2)).toEqual(["page: message one", "page: message two"]);
});

test("a device that is cut off for a moment misses nothing; for long, its connection is dead and nobody is told", async () => {
  const { clock, log, cutOff, servers, sockets, notes } = open();
  await clock.advance(100);
  cutOff.add("d1");
  servers[0]?.send("late");
  await clock.advance(3000);
  expect(log).not.toContain("page: message late");
  cutOff.clear();
  await clock.advance(1000);
  expect(log).toContain("page: message late");
  cutOff.add("d1");
  servers[0]?.send("never");
  await clock.advance(60_000);
  cutOff.clear();
  await clock.advance(60_000);
  expect(notes).toContain("socket: half-open");
  expect(sockets.count).toBe(0);
  expect(log.some((line) => line.includes("close") || line.includes("never"))).toBe(false);
});

test("without a server, or refused by it, a socket fails without a word", async () => {
  const down = open();
  down.state.isUp = false;
  await down.clock.advance(1000);
  expect(down.log).toEqual(["page: error", "page: close 1006"]);
  const refused = open({ upgrade: async () => new Response(null, { status: 404 }) });
  await refused.clock.advance(1000);
  expect(refused.log).toEqual(["page: error", "page: close 1006"]);
});

test("a tab that dies takes its connections along, and so does a server", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { clock, log, page, process, sockets } = open({ seed });
    await clock.advance(100);
    const dead = seed % 2 === 0 ? page : process;
    dead.die();
    sockets.buried(dead);
    await clock.advance(1000);
    expect(sockets.count).toBe(0);
    expect(log.some((line) => line.startsWith(dead === page ? "page: close" : "server: closed"))).toBe(false);
  }
});
