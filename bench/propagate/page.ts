// Owns: the page of `propagate`: a client with a live query, or a bare socket or channel, driven by run.ts.

import { createPlasmaClient, createWebSocketSubscription } from "plasma-sync/client";
import { mutators, pings, schema, type OpenRequest, type PageBench } from "./work.ts";

const HOUR_MS = 3_600_000;
const clock = (): number => performance.timeOrigin + performance.now();

/** One way of telling the other page, opened. */
interface Line {
  send(n: number): void;
  idle(): Promise<void>;
  numbers(): Promise<readonly number[]>;
  close(): Promise<void>;
}

const arrivals = new Map<number, number>();
const waiting = new Map<number, (at: number) => void>();
let line: Line | null = null;

function arrive(n: number): void {
  if (arrivals.has(n)) return;
  const at = clock();
  arrivals.set(n, at);
  waiting.get(n)?.(at);
}

async function openClient({ way, user, pollIntervalMs }: OpenRequest): Promise<Line> {
  const client = createPlasmaClient({
    schema,
    mutators,
    dbName: "propagate",
    endpoint: "/sync",
    schemaVersion: "1",
    clientGroupID: user,
    getContext: () => null,
    authHeaders: () => ({ authorization: `Bearer ${user}` }),
    // So far away that only pokes bring anything.
    pollIntervalMs: way === "socket" ? HOUR_MS : pollIntervalMs,
    ...(way === "socket" ? { subscribe: createWebSocketSubscription({ url: "/sync/coordinator", token: user }) } : {}),
  });
  const live = client.db.select().from(pings).live();
  const stop = live.subscribeDelta(({ added }) => {
    for (const { n } of added) arrive(n);
  });
  await client.pullOnce();
  const idle = () =>
    new Promise<void>((resolve) => {
      const check = (): void => {
        const { outboxDepth, syncing } = client.status.get();
        if (outboxDepth > 0 || syncing) return;
        end();
        resolve();
      };
      const end = client.status.subscribe(check);
      check();
    });
  return {
    send: (n) => void client.mutate.ping({ n }),
    idle,
    numbers: async () => (await client.db.select().from(pings).orderBy(pings.n)).map(({ n }) => n),
    close: async () => {
      stop();
      await client.close();
    },
  };
}

/** Holds what it has sent and heard, as a client does. */
function bareLine(post: (n: number) => void, close: () => void): Line {
  const sent: number[] = [];
  return {
    send: (n) => {
      sent.push(n);
      post(n);
    },
    idle: async () => undefined,
    numbers: async () => [...sent, ...arrivals.keys()].sort((a, b) => a - b),
    close: async () => close(),
  };
}

async function openSocket({ relayPort }: OpenRequest): Promise<Line> {
  const socket = new WebSocket(`ws://127.0.0.1:${relayPort}/`);
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  socket.addEventListener("message", ({ data }) => arrive(Number(data)));
  return bareLine(
    (n) => socket.send(String(n)),
    () => socket.close(),
  );
}

function openChannel(): Line {
  const channel = new BroadcastChannel("bare");
  channel.onmessage = ({ data }: MessageEvent<number>) => arrive(data);
  return bareLine(
    (n) => channel.postMessage(n),
    () => channel.close(),
  );
}

const opened = (): Line => {
  if (line === null) throw new Error("open comes first");
  return line;
};

const bench: PageBench = {
  open: async (request) => {
    if (request.way === "bare channel") line = openChannel();
    else line = await (request.way === "bare socket" ? openSocket(request) : openClient(request));
  },
  send: (n) => {
    const at = clock();
    opened().send(n);
    return at;
  },
  arrived: async (n) => arrivals.get(n) ?? new Promise((resolve) => waiting.set(n, resolve)),
  idle: () => opened().idle(),
  numbers: () => opened().numbers(),
  close: () => opened().close(),
};
window.bench = bench;
