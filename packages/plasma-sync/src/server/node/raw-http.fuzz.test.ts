// Bytes that are almost HTTP, on real connections: lengths that lie, chunks that are none, headers that fight, requests in
// one packet, ends in the middle. Every answer has a status of the list and says nothing of the inside; the server works on.

import { connect } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { Choices } from "../sync/hostile-json.fixture.ts";
import { authOf, mutation, mutators, schema } from "../sync/sync-server.fixture.ts";
import { serve, type PlasmaServer } from "./serve.ts";

const CONNECTIONS = 400;
const SEED = 20_261_127;
/** The sync server's, and those that Node gives before it: time, length, expectation, header size. */
const STATUSES = new Set([100, 200, 400, 401, 404, 405, 408, 409, 411, 413, 417, 431, 501]);
const INSIDE = /\n\s+at |\.[cm]?[jt]s:\d+|node:internal|node_modules|SQLITE_|sqlite/;

const body = (clientID: string, id: number): string =>
  JSON.stringify({
    protocolVersion: 1,
    schemaVersion: "1",
    clientGroupID: "ada",
    clientID,
    mutations: [mutation(id, "stamp", { id: `${clientID}-${id}` })],
  });

/** A push with one thing wrong in its frame, or none. */
function rawRequest(choices: Choices, clientID: string): string {
  const text = body(clientID, 1);
  const wrong = choices.below(9);
  const pickIf = (at: number, good: string, bad: readonly string[]) => (wrong === at ? choices.pick(bad) : good);
  const length = pickIf(0, `content-length: ${text.length}`, [
    `content-length: ${text.length - 20}`,
    `content-length: ${text.length + 20}`,
    "content-length: -1",
    "content-length: 1e3",
    "content-length: 99999999999999999999",
    `content-length: ${text.length}\r\ncontent-length: ${text.length + 1}`,
    `content-length: ${text.length}\r\ntransfer-encoding: chunked`,
    "transfer-encoding: chunked",
    "transfer-encoding: chunked, chunked",
    "transfer-encoding: gzip",
    "",
  ]);
  const target = pickIf(1, "/sync/push", [
    "http://elsewhere/sync/push",
    "//sync/push",
    "/sync/pull?%ff",
    "*",
    "/\u00e9",
    "/ /",
  ]);
  const start = pickIf(2, "POST", ["post", "GET", "CONNECT", "P\0ST", "PROPFIND", ""]);
  const version = pickIf(3, "HTTP/1.1", ["HTTP/1.0", "HTTP/2.0", "HTTP/9", ""]);
  const extra = pickIf(4, "", [
    "x-user: grace\r\n",
    "x: \0\r\n",
    " folded: 1\r\n",
    `x: ${"h".repeat(40_000)}\r\n`,
    "connection: upgrade\r\nupgrade: websocket\r\n",
    "host: other\r\n",
    "expect: 100-continue\r\n",
    "expect: everything\r\n",
  ]);
  const isChunked = length.includes("chunked") || wrong === 5;
  const lengthSent = wrong === 5 ? "transfer-encoding: chunked" : length;
  const sent = isChunked && !choices.once(3) ? chunked(choices, text) : text;
  return `${start} ${target} ${version}\r\nhost: localhost\r\nx-user: ada\r\n${extra}${lengthSent}\r\n\r\n${sent}`;
}

function chunked(choices: Choices, text: string): string {
  const size = choices.pick([
    text.length.toString(16),
    text.length.toString(16),
    "-1",
    "ffffffffffffffff",
    "zz",
    "0",
    `${text.length.toString(16)};x=${"y".repeat(100)}`,
  ]);
  return `${size}\r\n${text}\r\n0\r\n\r\n`;
}

/** One byte changed, cut off, or two requests in one packet. */
function damaged(choices: Choices, text: string, other: string): string {
  const at = choices.below(text.length);
  switch (choices.below(8)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(choices.below(256)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at);
    case 2:
      return text + other;
    default:
      return text;
  }
}

/** Sends the bytes, closes its half, and resolves to all that came back. */
const exchange = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.end(bytes, "latin1"));
    socket.setEncoding("latin1");
    socket.on("data", (data: string) => (answer += data));
    // A reset after the answer is an end, too.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });

let server: PlasmaServer | undefined;
afterEach(() => server?.close());

test(
  `${CONNECTIONS} connections with almost HTTP on them are answered or ended, and others are served`,
  { timeout: 120_000 },
  async () => {
    const db = new DatabaseSync(":memory:");
    server = await serve({
      schema,
      mutators,
      executor: fromNodeSqlite(db),
      schemaVersion: "1",
      auth: authOf,
      port: 0,
      hostname: "127.0.0.1",
      handleSignals: false,
    });
    const { port } = server;
    const choices = new Choices(SEED);
    const seen = new Map<number, number>();
    for (let i = 0; i < CONNECTIONS; i++) {
      const bytes = damaged(choices, rawRequest(choices, `c${i}`), rawRequest(choices, `d${i}`));
      const answer = await exchange(port, bytes);
      expect(answer, bytes).not.toMatch(INSIDE);
      for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d+) /gm)) {
        expect(STATUSES, bytes).toContain(Number(status));
        seen.set(Number(status), (seen.get(Number(status)) ?? 0) + 1);
      }
    }
    expect(seen.get(200)).toBeGreaterThan(20);
    expect(seen.get(400)).toBeGreaterThan(20);
    const good = body("last", 1);
    const answer = await exchange(
      port,
      `POST /sync/push HTTP/1.1\r\nhost: localhost\r\nx-user: ada\r\nconnection: close\r\ncontent-length: ${good.length}\r\n\r\n${good}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(db.prepare("SELECT count(*) AS n FROM posts WHERE id = 'last-1'").get()).toEqual({ n: 1 });
    db.close();
  },
);
