// Owns: the shapes of a push and its answer (SPEC "Sync protocol"), and their parsers.

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

/** One mutation on the wire. `args` are tagged JSON (see tagged-json.ts). */
export interface PushMutation {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
  /** Ms since the epoch at the call. */
  readonly timestamp: number;
  /** Defaults to the body's. */
  readonly clientID?: string;
  /** 32 hex digits from which `newId()` derives. */
  readonly seed?: string;
  /** The pull cookie when it was called. */
  readonly base?: string;
}

export interface PushRequest {
  readonly protocolVersion: number;
  readonly schemaVersion: string;
  readonly clientGroupID: string;
  readonly clientID: string;
  readonly replicaID?: string;
  readonly mutations: readonly PushMutation[];
}

export interface MutationResult {
  readonly clientID: string;
  readonly id: number;
  readonly status: "applied" | "duplicate" | "rejected";
  readonly error?: { readonly code: string; readonly message: string };
}

export interface PushResponse {
  readonly ok: true;
  /** May cover a prefix of the push: the client goes on from there. */
  readonly results: readonly MutationResult[];
  readonly lastMutationIDs: { readonly [clientID: string]: number };
}

/** Throws `protocol/field`. How many mutations a push may hold is the handler's to bound. */
export function parsePushRequest(json: unknown): PushRequest {
  const fields = parseFields(json, "body");
  return {
    protocolVersion: parseCount(fields["protocolVersion"], "protocolVersion"),
    schemaVersion: parseText(fields["schemaVersion"], "schemaVersion", limits.nameCharsMax),
    clientGroupID: parseID(fields["clientGroupID"], "clientGroupID"),
    clientID: parseID(fields["clientID"], "clientID"),
    ...optional(fields, "replicaID", parseID),
    mutations: parseList(fields["mutations"], "mutations").map((value, i) => parseMutation(value, `mutations.${i}`)),
  };
}

function parseMutation(value: unknown, path: string): PushMutation {
  const fields = parseFields(value, path);
  const id = parseCount(fields["id"], `${path}.id`);
  if (id === 0) refuseField(`${path}.id`, "a whole number of 1 or more");
  const timestamp = fields["timestamp"];
  if (typeof timestamp !== "number" || !Number.isSafeInteger(timestamp))
    refuseField(`${path}.timestamp`, "milliseconds since the epoch");
  return {
    id,
    name: parseText(fields["name"], `${path}.name`, limits.nameCharsMax),
    args: fields["args"] ?? null,
    timestamp: timestamp,
    ...optional(fields, "clientID", parseID),
    ...optional(fields, "seed", parseSeed),
    ...optional(fields, "base", (base, key) => parseText(base, key, limits.cookieCharsMax)),
  };
}

const parseSeed = (value: unknown, path: string): string =>
  typeof value === "string" && /^[0-9a-f]{32}$/.test(value) ? value : refuseField(path, "32 lower-case hex digits");

const statuses: readonly unknown[] = ["applied", "duplicate", "rejected"] satisfies MutationResult["status"][];

/** Throws `protocol/field`. */
export function parsePushResponse(json: unknown): PushResponse {
  const fields = parseFields(json, "body");
  if (fields["ok"] !== true) refuseField("ok", "true");
  return {
    ok: true,
    results: parseList(fields["results"], "results").map((value, i) => parseResult(value, `results.${i}`)),
    lastMutationIDs: parseLastMutationIDs(fields["lastMutationIDs"]),
  };
}

function parseResult(value: unknown, path: string): MutationResult {
  const fields = parseFields(value, path);
  const status = fields["status"];
  if (!statuses.includes(status)) refuseField(`${path}.status`, "applied, duplicate or rejected");
  return {
    clientID: parseID(fields["clientID"], `${path}.clientID`),
    id: parseCount(fields["id"], `${path}.id`),
    status: status as MutationResult["status"],
    ...optional(fields, "error", (error, key) => {
      const { code, message } = parseFields(error, key);
      return { code: parseText(code, `${path}.error.code`, limits.nameCharsMax), message: parseMessage(message) };
    }),
  };
}

/** Client → id. */
export function parseLastMutationIDs(value: unknown): { readonly [clientID: string]: number } {
  const entries = Object.entries(parseFields(value, "lastMutationIDs"));
  return Object.fromEntries(entries.map(([clientID, id]) => [clientID, parseCount(id, "lastMutationIDs")]));
}
