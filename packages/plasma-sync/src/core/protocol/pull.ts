// Owns: the shapes of a pull and its answer (SPEC "Sync protocol"), and their parsers.

import * as limits from "../limits.ts";
import {
  optional,
  parseCount,
  parseFields,
  parseID,
  parseList,
  parseMessage,
  parseText,
  refuseField,
} from "./parse.ts";
import { parseLastMutationIDs } from "./push.ts";

/** A row on the wire: bigint as decimal string, bytes as padded base64, JSON nested; every column, nulls explicit. */
export type WireRow = { readonly [column: string]: unknown };

export type PatchOp =
  | { readonly op: "put"; readonly table: string; readonly id: string; readonly value: WireRow }
  | { readonly op: "del"; readonly table: string; readonly id: string }
  | { readonly op: "clear" };

export interface PullRequest {
  readonly protocolVersion: number;
  readonly schemaVersion: string;
  readonly clientGroupID: string;
  readonly clientID: string;
  readonly replicaID?: string;
  readonly cookie?: string;
  readonly limit?: number;
}

export interface Rejection {
  readonly clientID: string;
  readonly id: number;
  readonly code: string;
  readonly message: string;
}

export interface PullResponse {
  readonly cookie: string;
  readonly patch: readonly PatchOp[];
  readonly lastMutationIDs: { readonly [clientID: string]: number };
  /** Only this ends the loop: a page may be empty and have more. */
  readonly hasMore?: boolean;
  readonly rejected?: readonly Rejection[];
}

/** Reads a pull's query. A limit above the bound is the bound. Throws `protocol/field`. */
export function parsePullRequest(params: URLSearchParams): PullRequest {
  const fields = Object.fromEntries(params);
  return {
    protocolVersion: parseDecimal(fields["protocolVersion"], "protocolVersion"),
    schemaVersion: parseText(fields["schemaVersion"], "schemaVersion", limits.nameCharsMax),
    clientGroupID: parseID(fields["clientGroupID"], "clientGroupID"),
    clientID: parseID(fields["clientID"], "clientID"),
    ...optional(fields, "replicaID", parseID),
    ...optional(fields, "cookie", (cookie, path) => parseText(cookie, path, limits.cookieCharsMax)),
    ...optional(fields, "limit", parseLimit),
  };
}

function parseLimit(value: unknown, path: string): number {
  const limit = parseDecimal(value, path);
  return limit === 0 ? refuseField(path, "a whole number of 1 or more") : Math.min(limit, limits.pullPageSizeMax);
}

const parseDecimal = (value: unknown, path: string): number =>
  typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : refuseField(path, "a whole number");

/** Parses a page. Rows stay as they travelled: `decodeRow` checks them. Throws `protocol/field`. */
export function parsePullResponse(json: unknown): PullResponse {
  const fields = parseFields(json, "body");
  return {
    cookie: parseText(fields["cookie"], "cookie", limits.cookieCharsMax),
    patch: parseList(fields["patch"], "patch").map(parseOp),
    lastMutationIDs: parseLastMutationIDs(fields["lastMutationIDs"]),
    ...(fields["hasMore"] === true ? { hasMore: true } : {}),
    ...optional(fields, "rejected", (list) => parseList(list, "rejected").map(parseRejection)),
  };
}

function parseOp(value: unknown): PatchOp {
  const fields = parseFields(value, "patch");
  const { op } = fields;
  if (op === "clear") return { op };
  const table = parseText(fields["table"], "patch.table", limits.nameCharsMax);
  const id = parseID(fields["id"], "patch.id");
  if (op === "del") return { op, table, id };
  return op === "put"
    ? { op, table, id, value: parseFields(fields["value"], "patch.value") }
    : refuseField("patch.op", "put, del or clear");
}

function parseRejection(value: unknown): Rejection {
  const fields = parseFields(value, "rejected");
  return {
    clientID: parseID(fields["clientID"], "rejected.clientID"),
    id: parseCount(fields["id"], "rejected.id"),
    code: parseText(fields["code"], "rejected.code", limits.nameCharsMax),
    message: parseMessage(fields["message"]),
  };
}
