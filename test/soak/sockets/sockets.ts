// Owns: `npm run soak:sockets -- --sockets 1000 --members 200 --seconds 10`: what sockets cost, on a hub of Node, on a
// PlasmaObject and on a SyncCoordinator: memory each, the time until a push has reached all, and a room full of cursors.
// Server and clients share this machine's processors, so times are upper bounds.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { cpuMs, residentBytes, startNode, startWorker, type Target } from "./targets.ts";

const { values } = parseArgs({
  options: {
    sockets: { type: "string", default: "1000" },
    members: { type: "string", default: "200" },
    seconds: { type: "string", default: "10" },
    on: { type: "string", default: "node,object,coordinator" },
    out: { type: "string", default: `${import.meta.dirname}/result.json` },
  },
});
const POKES = 20;
const CURSOR_MS = 50;
/** Members whose frames are read: to read all of them would measure this process. */
const READERS = 3;

const starts: Record<string, () => Promise<Target>> = {
  node: startNode,
  object: () => startWorker("PlasmaObject", "object"),
  coordinator: () => startWorker("SyncCoordinator", "beside"),
};

async function open(target: Target, query: Record<string, string>): Promise<WebSocket> {
  const url = `${target.endpoint.replace("http", "ws")}/coordinator?${new URLSearchParams(query)}`;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.on("close", (code, reason) => code < 1007 || console.log(`closed: ${code} ${String(reason)}`));
  return socket;
}

async function openAll(target: Target, count: number, query: (i: number) => Record<string, string>) {
  const sockets: WebSocket[] = [];
  for (let i = 0; i < count; i += 50) {
    const some = Array.from({ length: Math.min(50, count - i) }, (_, j) => open(target, query(i + j)));
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

async function push(target: Target, id: number): Promise<void> {
  const mutations = [{ id, name: "count", args: { n: id }, timestamp: Date.now() }];
  const body = { protocolVersion: 1, schemaVersion: "1", clientGroupID: "pusher", clientID: "pusher", mutations };
  const headers = { authorization: "Bearer pusher" };
  const response = await fetch(`${target.endpoint}/push`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`push: ${response.status} ${await response.text()}`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (values: readonly number[], q: number) =>
  Number(([...values].sort((a, b) => a - b)[Math.floor(values.length * q)] ?? NaN).toFixed(1));

/** Many that listen: memory each, and the time from the start of a push until the last of them was poked. */
async function measureFanOut(target: Target, count: number) {
  await push(target, 1);
  const warm = await openAll(target, 20, (i) => ({ token: `w${i}` }));
  for (const socket of warm) socket.close();
  await pause(1000);
  const before = residentBytes(target.pid);
  const query = (i: number) => ({ token: `u${i}`, clientID: `c${i}`, replicaID: `r${i}`, presence: "none" });
  const sockets = await openAll(target, count, query);
  for (const socket of sockets) socket.send('{"type":"hello"}');
  await pause(2000);
  const bytesPerSocket = Math.round((residentBytes(target.pid) - before) / count);
  const lastMs: number[] = [];
  const eachMs: number[] = [];
  let startedAt = 0;
  let missing = 0;
  let done: () => void = () => undefined;
  for (const socket of sockets)
    socket.on("message", () => {
      eachMs.push(performance.now() - startedAt);
      if (--missing === 0) done();
    });
  const cpu = cpuMs(target.pid);
  for (let i = 0; i < POKES; i++) {
    const all = new Promise<void>((resolve) => (done = resolve));
    missing = count;
    startedAt = performance.now();
    await push(target, i + 2);
    await Promise.race([all, pause(10_000)]);
    if (missing > 0) throw new Error(`${missing} of ${count} were not poked`);
    lastMs.push(performance.now() - startedAt);
    await pause(50);
  }
  const cpuMsPerPoke = Number(((cpuMs(target.pid) - cpu) / POKES).toFixed(1));
  for (const socket of sockets) socket.close();
  return {
    sockets: count,
    bytesPerSocket,
    eachP50Ms: quantile(eachMs, 0.5),
    lastP50Ms: quantile(lastMs, 0.5),
    lastP95Ms: quantile(lastMs, 0.95),
    cpuMsPerPoke,
  };
}

/** A room whose members all move their cursors at 20 Hz. */
async function measureCursors(target: Target, count: number, seconds: number) {
  const query = (i: number) => ({ token: `m${i}`, clientID: crypto.randomUUID(), room: "global" });
  const sockets = await openAll(target, count, query);
  let frames = 0;
  let bytes = 0;
  const delaysMs: number[] = [];
  for (const [i, socket] of sockets.entries()) {
    socket.send(JSON.stringify({ type: "hello", userInfo: { name: `Member ${i}`, x: 0, y: 0, at: 0 } }));
    socket.on("message", (data: Buffer) => {
      frames += 1;
      bytes += data.length;
      if (i >= READERS || data.length < 5) return;
      const now = performance.now();
      const { put = [] } = JSON.parse(String(data)) as { put?: { userInfo: { at: number } }[] };
      for (const { userInfo } of put) if (userInfo.at > 0) delaysMs.push(now - userInfo.at);
    });
  }
  await pause(2000);
  frames = bytes = delaysMs.length = 0;
  const cpu = cpuMs(target.pid);
  const startedAt = performance.now();
  let sent = 0;
  while (performance.now() - startedAt < seconds * 1000) {
    const turn = performance.now();
    for (const [i, socket] of sockets.entries()) {
      const userInfo = { name: `Member ${i}`, x: sent % 1000, y: sent % 777, at: Number(performance.now().toFixed(2)) };
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "presence", userInfo }));
      sent += 1;
    }
    await pause(Math.max(0, CURSOR_MS - (performance.now() - turn)));
  }
  const tookS = (performance.now() - startedAt) / 1000;
  const open = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  const result = {
    members: count,
    stillOpen: open,
    framesInPerS: Math.round(sent / tookS),
    framesOutPerS: Math.round(frames / tookS),
    ticksPerS: Number((frames / count / tookS).toFixed(1)),
    mibOutPerS: Number((bytes / tookS / 2 ** 20).toFixed(1)),
    delayP50Ms: quantile(delaysMs, 0.5),
    delayP95Ms: quantile(delaysMs, 0.95),
    serverCpuPercent: Math.round((cpuMs(target.pid) - cpu) / tookS / 10),
  };
  for (const socket of sockets) socket.close();
  await pause(500);
  return result;
}

const results: Record<string, object> = {};
for (const name of values.on.split(",")) {
  const target = await starts[name]!();
  const fanOut = await measureFanOut(target, Number(values.sockets));
  console.log(target.name, fanOut);
  const cursors = [];
  for (const members of [20, 50, Number(values.members)]) {
    cursors.push(await measureCursors(target, members, Number(values.seconds)));
    console.log(target.name, cursors.at(-1));
  }
  results[target.name] = { fanOut, cursors };
  await target.close();
}
writeFileSync(values.out, `${JSON.stringify({ processors: navigator.hardwareConcurrency, ...results }, null, 2)}\n`);
process.exit(0);
