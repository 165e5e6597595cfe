// The frames of a socket: what each parser lets through, and that none throws.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as limits from "../limits.ts";
import { isUserInfo, parseClientFrame, parseServerFrame } from "./realtime.ts";

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
const client = (frame: unknown) => parseClientFrame(JSON.stringify(frame));
const server = (frame: unknown) => parseServerFrame(JSON.stringify(frame));

describe("frames of a client", () => {
  test.each([
    { type: "hello" },
    { type: "hello", cookie: "c1:e30", userInfo: { name: "Ada" } },
    { type: "hello", userInfo: null },
    { type: "cookie", cookie: "c1:e30" },
    { type: "presence", userInfo: { x: 1, y: [2] } },
    { type: "presence", userInfo: null },
  ])("%j is read as it is", (frame) => {
    expect(client(frame)).toEqual(frame);
  });

  test("a ping is plain text", () => {
    expect(parseClientFrame("ping")).toEqual({ type: "ping" });
  });

  test("fields that no frame has are left out", () => {
    expect(client({ type: "cookie", cookie: "c", clientID: "another" })).toEqual({ type: "cookie", cookie: "c" });
  });

  test.each([
    ["text that is no JSON", "{"],
    ["nothing", ""],
    ["no object", "[]"],
    ["an unknown type", '{"type":"subscribe"}'],
    ["a type of Object.prototype", '{"type":"__proto__"}'],
    ["a cookie that is no text", '{"type":"cookie","cookie":1}'],
    ["a cookie beyond the bound", JSON.stringify({ type: "cookie", cookie: "c".repeat(limits.cookieCharsMax + 1) })],
    [
      "a userInfo beyond the bound",
      JSON.stringify({ type: "presence", userInfo: "é".repeat(limits.userInfoBytesMax / 2) }),
    ],
    ["a userInfo too deep", JSON.stringify({ type: "hello", userInfo: nested(limits.jsonDepthMax + 1) })],
    ["a frame beyond the bound", `{"type":"hello"${" ".repeat(limits.socketFrameBytesMax)}}`],
    ["nesting that would exhaust a stack", `{"type":"presence","userInfo":${"[".repeat(16_000)}`],
  ])("%s is ignored", (_, text) => {
    expect(parseClientFrame(text)).toBeNull();
  });

  test("the largest cookie and userInfo fit a frame", () => {
    const userInfo = "x".repeat(limits.userInfoBytesMax - 2);
    const frame = { type: "hello", cookie: "c".repeat(limits.cookieCharsMax), userInfo };
    expect(client(frame)).toEqual(frame);
  });

  test("no text makes a parser throw", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        parseClientFrame(text);
        parseServerFrame(text);
      }),
    );
  });
});

describe("frames of the server", () => {
  const patch = {
    from: "c1:a",
    cookie: "c1:b",
    patch: [{ op: "put", table: "todos", id: "1", value: { id: "1" } }],
    lastMutationIDs: { c: 3 },
  };
  test.each([
    { type: "poke" },
    { type: "poke", patch },
    { type: "presence", entries: [{ clientID: "c", userInfo: { name: "Ada" } }] },
    { type: "presence-delta", put: [{ clientID: "c", userInfo: null }], del: ["d"] },
  ])("%j is read as it is", (frame) => {
    expect(server(frame)).toEqual(frame);
  });

  test("a pong is plain text", () => {
    expect(parseServerFrame("pong")).toEqual({ type: "pong" });
  });

  test.each([{ ...patch, from: undefined }, { ...patch, patch: [{ op: "drop" }] }, { ...patch, cookie: 1 }, null, "x"])(
    "a poke whose patch is broken (%j) is a plain poke",
    (broken) => {
      expect(server({ type: "poke", patch: broken })).toEqual({ type: "poke" });
    },
  );

  test.each(['{"type":"news"}', '{"type":"presence","entries":{}}', '{"type":"presence-delta","put":[]}', "{", "null"])(
    "%s is ignored",
    (text) => {
      expect(parseServerFrame(text)).toBeNull();
    },
  );
});

test("what is no JSON is no userInfo", () => {
  expect([isUserInfo(undefined), isUserInfo(() => 1), isUserInfo({ name: "Ada" }), isUserInfo(null)]).toEqual([
    false,
    false,
    true,
    true,
  ]);
});
