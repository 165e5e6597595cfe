// Owns: pushes and pulls over HTTP. Whatever can go wrong comes back as a value.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { parseErrorBody, type ErrorBody } from "../../core/protocol/error-body.ts";
import { parsePullResponse, type PullResponse } from "../../core/protocol/pull.ts";
import { parsePushResponse, type PushMutation, type PushRequest, type PushResponse } from "../../core/protocol/push.ts";
import { PROTOCOL_VERSION } from "../../core/protocol/version.ts";
import type { OutboxEntry } from "../store/store.ts";

export type HttpFailure =
  | { readonly kind: "network"; readonly message: string; readonly body: ErrorBody }
  | {
      readonly kind: "http";
      readonly status: number;
      readonly url: string;
      readonly message: string;
      readonly body: ErrorBody;
      /** From the header Retry-After. */
      readonly retryAfterMs: number | null;
    };

export type HttpAnswer<T> =
  | { readonly ok: true; readonly value: T; readonly url: string }
  | { readonly ok: false; readonly failure: HttpFailure };

export interface HttpTransport {
  /** Sends entries of one schema version. When `signal` aborts, it ends at once with a network failure. */
  push(entries: readonly OutboxEntry[], signal: AbortSignal): Promise<HttpAnswer<PushResponse>>;
  pull(cookie: string | null, signal: AbortSignal): Promise<HttpAnswer<PullResponse>>;
}

export interface HttpTransportOptions {
  readonly endpoint: string;
  readonly schemaVersion: string;
  readonly clientGroupID: string;
  readonly env: Env;
  readonly clientID: () => string;
  readonly replicaID: () => string;
  readonly pullPageSize: number | undefined;
  readonly fetcher: ((request: Request) => Promise<Response>) | undefined;
  readonly authHeaders:
    | ((who: { readonly clientID: string; readonly clientGroupID: string }) => HeadersInit | Promise<HeadersInit>)
    | undefined;
}

const noBody: ErrorBody = { error: "", code: "" };

/** Makes a transport. */
export function createHttpTransport(options: HttpTransportOptions): HttpTransport {
  return {
    push: (entries, signal) =>
      send(options, { make: () => pushRequest(options, entries), parse: parsePushResponse, signal }),
    pull: (cookie, signal) =>
      send(options, { make: () => pullRequest(options, cookie), parse: parsePullResponse, signal }),
  };
}

interface Exchange<T> {
  readonly make: () => Call;
  readonly parse: (json: unknown) => T;
  readonly signal: AbortSignal;
}

interface Call {
  readonly url: string;
  readonly init: RequestInit;
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

/** Relative endpoints are relative to the page, where there is one. */
function urlOf({ endpoint }: HttpTransportOptions, path: string): string {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  return new URL(`${endpoint.replace(/\/+$/, "")}/${path}`, base ?? "http://localhost").href;
}

async function send<T>(options: HttpTransportOptions, exchange: Exchange<T>): Promise<HttpAnswer<T>> {
  const first = await sendOnce(options, exchange);
  // The login may have been renewed since the headers were made.
  const isRefused = !first.ok && first.failure.kind === "http" && first.failure.status === 401;
  return isRefused && options.authHeaders !== undefined && !exchange.signal.aborted
    ? sendOnce(options, exchange)
    : first;
}

/** One attempt, ended by its answer, by `signal` or by time, whatever `authHeaders` and `fetcher` do. */
async function sendOnce<T>(options: HttpTransportOptions, exchange: Exchange<T>): Promise<HttpAnswer<T>> {
  const { env } = options;
  const abort = new AbortController();
  const stop = () => abort.abort();
  exchange.signal.addEventListener("abort", stop);
  const timer = env.setTimeout(stop, limits.requestMsMax);
  const gaveUp = new Promise<HttpAnswer<T>>((resolve) => {
    const message = `No answer within ${limits.requestMsMax} ms.`;
    abort.signal.addEventListener("abort", () =>
      resolve({ ok: false, failure: { kind: "network", message, body: noBody } }),
    );
  });
  if (exchange.signal.aborted) stop();
  const answer = await Promise.race([attempt(options, exchange, abort.signal), gaveUp]);
  env.clearTimeout(timer);
  exchange.signal.removeEventListener("abort", stop);
  return answer;
}

async function attempt<T>(
  options: HttpTransportOptions,
  { make, parse }: Exchange<T>,
  signal: AbortSignal,
): Promise<HttpAnswer<T>> {
  const { authHeaders, clientGroupID, fetcher } = options;
  try {
    const { url, init } = make();
    const extra = new Headers(await authHeaders?.({ clientID: options.clientID(), clientGroupID }));
    const request = new Request(url, { ...init, signal });
    extra.forEach((value, name) => request.headers.set(name, value));
    return await readAnswer(await (fetcher ?? fetch)(request), url, parse);
  } catch (error) {
    return { ok: false, failure: { kind: "network", message: messageOf(error), body: noBody } };
  }
}

async function readAnswer<T>(response: Response, url: string, parse: (json: unknown) => T): Promise<HttpAnswer<T>> {
  const text = await response.text();
  const failure = (message: string, body: ErrorBody): HttpAnswer<T> => ({
    ok: false,
    failure: { kind: "http", status: response.status, url, message, body, retryAfterMs: retryAfterMs(response) },
  });
  const json = parseJSON(text);
  if (!response.ok) {
    const body = parseErrorBody(json);
    return failure(body.error || `The server answered ${response.status}.`, body);
  }
  try {
    return { ok: true, value: parse(json), url };
  } catch (error) {
    return failure(`The server's answer is malformed: ${messageOf(error)}`, noBody);
  }
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // A proxy's page, not ours: the status says enough.
  }
}

/** Only in seconds: a date would need the server's clock. */
function retryAfterMs(response: Response): number | null {
  const text = response.headers.get("Retry-After") ?? "";
  return /^\d+$/.test(text) ? Math.min(Number(text) * 1000, limits.retryAfterMsMax) : null;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
