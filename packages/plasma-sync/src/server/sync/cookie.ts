// Owns: the pull cookie: a position in the change log, and under what it was given. Opaque to clients:
//   "c1:" + base64url of {"0":"123","$tag":"…","$schema":"…","$ctx":"…","$page":…}
// Invariants:
//   1. A cookie is input from outside: whoever forges one can at most lose their own rows. What a caller may see is
//      decided by the rules of the tables, never by a cookie.
//   2. `tag` is the random tag of the log entry at `version`; a log that has another entry there (a restored backup) has
//      another history, and the client must sync anew.
//   3. Nothing of a row that the reader may not see stands in it in clear.
//   4. ctxKey travels as a digest: its length and content are the app's.

import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64, toBase64 } from "../../core/lib/base64.ts";
import { toHex } from "../../core/lib/hex.ts";
import { serverError } from "../server-error.ts";

/** A place in the tables, sealed by page-seal.ts. */
export interface SealedPlace {
  readonly table: string;
  readonly place: string;
}

/**
 * Where the reader stands when it is not consistent as of `version`.
 *   tables   in a first sync, the rows up to a place are read
 *   log      in a first sync, all rows are read, and the log is not at its end
 *   moved    rows that the log up to version `to` moved in or out of sight are told up to a place; then it goes on at `next`
 */
export type CookiePage =
  | ({ readonly type: "tables" } & SealedPlace)
  | { readonly type: "log" }
  | ({ readonly type: "moved"; readonly to: number; readonly next: CookiePage | null } & SealedPlace);

/** A place in the log: an entry, or the log's beginning. */
export interface Position {
  /** The last log entry that the client has; 0 before the first. Beyond any log when it does not fit a number. */
  readonly version: number;
  /** Null at version 0. */
  readonly tag: string | null;
}

export interface Cookie extends Position {
  readonly scope: CookieScope;
  /** Null when the client is consistent as of `version`. */
  readonly page: CookiePage | null;
}

/** What a cookie is valid under. */
export interface CookieScope {
  readonly schemaVersion: string | null;
  /** Digest of auth's ctxKey; null where there is none. */
  readonly ctxDigest: string | null;
}

const PREFIX = "c1:";
const REGION = "0";
const DIGEST_BYTES = 16;

export function cookieScope(schemaVersion: string, ctxKey: string | undefined): CookieScope {
  const digest = (text: string) => toHex(sha256(new TextEncoder().encode(text)).subarray(0, DIGEST_BYTES));
  return { schemaVersion, ctxDigest: ctxKey === undefined ? null : digest(ctxKey) };
}

export const sameScope = (a: CookieScope, b: CookieScope): boolean =>
  a.schemaVersion === b.schemaVersion && a.ctxDigest === b.ctxDigest;

export function encodeCookie({ version, tag, scope, page }: Cookie): string {
  const fields = {
    [REGION]: String(version),
    ...(tag === null ? {} : { $tag: tag }),
    $schema: scope.schemaVersion,
    ...(scope.ctxDigest === null ? {} : { $ctx: scope.ctxDigest }),
    ...(page === null ? {} : { $page: page }),
  };
  const base64 = toBase64(new TextEncoder().encode(JSON.stringify(fields)));
  return PREFIX + base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Throws `pull/cookie` for what no server made. */
export function parseCookie(text: string): Cookie {
  const fields = parseFields(text);
  const isForeign = (key: string) => key !== REGION && !key.startsWith("$");
  const version = fields[REGION];
  if (typeof version !== "string" || !/^(0|[1-9]\d{0,18})$/.test(version) || Object.keys(fields).some(isForeign))
    throw malformed();
  return {
    version: Number(version),
    tag: optionalText(fields["$tag"]),
    scope: { schemaVersion: optionalText(fields["$schema"]), ctxDigest: optionalText(fields["$ctx"]) },
    page: parsePage(fields["$page"]),
  };
}

function parseFields(text: string): { readonly [key: string]: unknown } {
  const base64url = text.slice(PREFIX.length);
  if (!text.startsWith(PREFIX) || !/^[\w-]+$/.test(base64url)) throw malformed();
  const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = fromBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, "="));
  if (bytes === null) throw malformed();
  try {
    const fields: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) return { ...fields };
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

function parsePage(value: unknown): CookiePage | null {
  if (value === undefined) return null;
  const { type, table, place, to, next } = (value ?? {}) as { readonly [key: string]: unknown };
  if (type === "log") return { type };
  if (typeof table !== "string" || typeof place !== "string") throw malformed();
  if (type === "tables") return { type, table, place };
  if (type !== "moved" || !Number.isSafeInteger(to)) throw malformed();
  const then = next === null ? null : parsePage(next);
  if (then?.type === "moved") throw malformed();
  return { type, table, place, to: to as number, next: then };
}

function optionalText(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value !== "string") throw malformed();
  return value;
}

const malformed = (cause?: unknown) => serverError("pull/cookie", {}, { cause });
