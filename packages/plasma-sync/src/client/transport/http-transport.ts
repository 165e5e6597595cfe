// Owns: pushes and pulls over HTTP. Whatever can go wrong comes back as a value.

import { parsePullResponse, type PullResponse } from "../../core/protocol/pull.ts";
import { parsePushResponse, type PushMutation, type PushRequest, type PushResponse } from "../../core/protocol/push.ts";
import { PROTOCOL_VERSION } from "../../core/protocol/version.ts";
import type { OutboxEntry } from "../store/store.ts";
import { readJSON, send, urlOf, type Call, type HttpAnswer, type HttpOptions } from "./http-exchange.ts";

export interface HttpTransport {
  /** Sends entries of one schema version. When `signal` aborts, it ends at once with a network failure. */
  push(entries: readonly OutboxEntry[], signal: AbortSignal): Promise<HttpAnswer<PushResponse>>;
  pull(cookie: string | null, signal: AbortSignal): Promise<HttpAnswer<PullResponse>>;
}

export interface HttpTransportOptions extends HttpOptions {
  readonly schemaVersion: string;
  readonly replicaID: () => string;
  readonly pullPageSize: number | undefined;
}

/** Makes a transport. */
export function createHttpTransport(options: HttpTransportOptions): HttpTransport {
  return {
    push: (entries, signal) =>
      send(options, {
        make: () => pushRequest(options, entries),
        read: (response, url) => readJSON(response, url, parsePushResponse),
        signal,
      }),
    pull: (cookie, signal) =>
      send(options, {
        make: () => pullRequest(options, cookie),
        read: (response, url) => readJSON(response, url, parsePullResponse),
        signal,
      }),
  };
}

function pushRequest(options: HttpTransportOptions, entries: readonly OutboxEntry[]): Call {
  const { schemaVersion, clientGroupID } = options;
  const body: PushRequest = {
    protocolVersion: PROTOCOL_VERSION,
    schemaVersion: entries[0]?.schemaVersion ?? schemaVersion,
    clientGroupID,
    clientID: options.clientID(),
    replicaID: options.replicaID(),
    mutations: entries.map(toMutation),
  };
  const headers = { "Content-Type": "application/json" };
  return { url: urlOf(options, "push"), init: { method: "POST", headers, body: JSON.stringify(body) } };
}

function toMutation({ id, name, args, timestamp, clientID, seed, base }: OutboxEntry): PushMutation {
  return { id, name, args, timestamp, clientID, seed, ...(base === null ? {} : { base }) };
}

function pullRequest(options: HttpTransportOptions, cookie: string | null): Call {
  const { schemaVersion, clientGroupID, pullPageSize } = options;
  const params = new URLSearchParams({
    protocolVersion: String(PROTOCOL_VERSION),
    schemaVersion,
    clientGroupID,
    clientID: options.clientID(),
    replicaID: options.replicaID(),
    ...(cookie === null ? {} : { cookie }),
    ...(pullPageSize === undefined ? {} : { limit: String(pullPageSize) }),
  });
  return { url: `${urlOf(options, "pull")}?${params}`, init: { method: "GET" } };
}
