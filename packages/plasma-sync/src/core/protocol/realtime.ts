// Owns: the frames of a socket (SPEC "Realtime") in both directions, and their parsers.
// Invariants:
//   1. Frames are JSON text, but for `ping` and `pong`, which platforms answer without waking anybody.
//   2. No frame throws: one that is unknown, malformed or beyond a bound is null, and whoever reads it goes on.
//   3. `userInfo` is untrusted JSON on both sides: bounded in bytes and depth, and nothing of it is looked at.

import * as limits from "../limits.ts";
import { utf8SizeBytes } from "../lib/utf8.ts";
import { optional, parseFields, parseID, parseList, parseText, refuseField, type Fields } from "./parse.ts";
import { parsePullResponse, type PullResponse } from "./pull.ts";

/** Close codes of Plasma's sockets. Those of four digits beginning with 4 are Plasma's own, the others the protocol's. */
export const closeCodes = {
  /** `auth` says no: ask for another token. */
  unauthorized: 4401,
  /** `authorizeRoom` says no, or the clientID is another's: come again much later. */
  room: 4403,
  /** The client took too little of what was sent. It pulls when it is back. */
  slowConsumer: 4408,
  /** It sent more frames than it may. */
  flood: 1008,
  /** It sent a frame larger than it may. */
  tooLarge: 1009,
  /** It sent bytes; frames are text. */
  binary: 1003,
  /** Nothing is wrong: the server restarts, or wants to ask `auth` again. */
  comeAgain: 1012,
} as const;

/** Whether a socket that closed with this code was meant to: its client does not come back by itself. */
export const isCleanClose = (code: number): boolean => code === 1000 || code === 1001 || code === 1005;

/** The room of those who name none. */
export const DEFAULT_ROOM = "global";

export const PING = "ping";
export const PONG = "pong";

/** A member of a room: who, as the server knows it, and what it says of itself. */
export interface PresenceEntry {
  readonly clientID: string;
  /** JSON that the member made up: never trust it. */
  readonly userInfo: unknown;
}

export type ClientFrame =
  /** The first frame. `cookie` of the last pull; `userInfo` makes it a member of the room. */
  | { readonly type: "hello"; readonly cookie?: string; readonly userInfo?: unknown }
  /** After each pull. */
  | { readonly type: "cookie"; readonly cookie: string }
  /** Null: a member no more. */
  | { readonly type: "presence"; readonly userInfo: unknown }
  | { readonly type: "ping" };

/** What a pull with the cookie `from` would have answered, complete: it has no more pages and refuses nothing. */
export interface PokePatch extends Pick<PullResponse, "cookie" | "patch" | "lastMutationIDs"> {
  readonly from: string;
}

export interface PokeFrame {
  readonly type: "poke";
  readonly patch?: PokePatch;
}

export type ServerFrame =
  | PokeFrame
  /** All members, at the join. */
  | { readonly type: "presence"; readonly entries: readonly PresenceEntry[] }
  /** What has changed since: `put` replaces or adds, `del` names who left. */
  | { readonly type: "presence-delta"; readonly put: readonly PresenceEntry[]; readonly del: readonly string[] }
  | { readonly type: "pong" };

/** Reads what a client sent. Null for what the server has no use for. */
export function parseClientFrame(text: string): ClientFrame | null {
  if (text === PING) return { type: "ping" };
  if (text.length > limits.socketFrameBytesMax) return null;
  return parsed(text, clientFrameOf);
}

/** Reads what a server sent. Null for what the client has no use for; a poke with a broken patch is a plain one. */
export function parseServerFrame(text: string): ServerFrame | null {
  return text === PONG ? { type: "pong" } : parsed(text, serverFrameOf);
}

/** Whether a member may say this of itself: JSON of bounded size and depth. */
export function isUserInfo(value: unknown): boolean {
  if (!isShallow(value, 0)) return false;
  const json = JSON.stringify(value) as string | undefined;
  return json !== undefined && utf8SizeBytes(json) <= limits.userInfoBytesMax;
}

function parsed<T>(text: string, frameOf: (fields: Fields) => T | null): T | null {
  try {
    return frameOf(parseFields(JSON.parse(text), "frame"));
  } catch {
    return null;
  }
}

function clientFrameOf(fields: Fields): ClientFrame | null {
  const { type } = fields;
  if (type === "hello") {
    return {
      type,
      ...optional(fields, "cookie", parseCookie),
      ...(fields["userInfo"] === undefined ? {} : { userInfo: parseUserInfo(fields["userInfo"]) }),
    };
  }
  if (type === "cookie") return { type, cookie: parseCookie(fields["cookie"]) };
  return type === "presence" ? { type, userInfo: parseUserInfo(fields["userInfo"] ?? null) } : null;
}

function serverFrameOf(fields: Fields): ServerFrame | null {
  const { type } = fields;
  if (type === "poke") return { type, ...patchOf(fields["patch"]) };
  if (type === "presence") return { type, entries: parseEntries(fields["entries"], "entries") };
  if (type !== "presence-delta") return null;
  const del = parseList(fields["del"], "del").map((id) => parseID(id, "del"));
  return { type, put: parseEntries(fields["put"], "put"), del };
}

function patchOf(value: unknown): { readonly patch?: PokePatch } {
  if (value === undefined) return {};
  try {
    const fields = parseFields(value, "patch");
    const { cookie, patch, lastMutationIDs } = parsePullResponse(fields);
    return { patch: { from: parseCookie(fields["from"]), cookie, patch, lastMutationIDs } };
  } catch {
    return {};
  }
}

const parseCookie = (value: unknown): string => parseText(value, "cookie", limits.cookieCharsMax);

const parseUserInfo = (value: unknown): unknown =>
  isUserInfo(value) ? value : refuseField("userInfo", `JSON of at most ${limits.userInfoBytesMax} bytes`);

const parseEntries = (value: unknown, path: string): readonly PresenceEntry[] =>
  parseList(value, path).map((entry) => {
    const { clientID, userInfo = null } = parseFields(entry, path);
    return { clientID: parseID(clientID, path), userInfo };
  });

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth < limits.jsonDepthMax && Object.values(value).every((item) => isShallow(item, depth + 1));
}
