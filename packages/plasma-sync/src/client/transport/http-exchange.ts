// Owns: one request over HTTP and its answer: login headers, one more attempt after a 401, an end by time. Whatever can go
// wrong comes back as a value.

import { messageOf } from "../../core/error.ts";
import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { parseErrorBody, type ErrorBody } from "../../core/protocol/error-body.ts";

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

export type HttpAnswer<T> = { readonly ok: true; readonly value: T; readonly url: string } | HttpRefusal;

export interface HttpRefusal {
  readonly ok: false;
  readonly failure: HttpFailure;
}

/** What all requests of a client share. */
export interface HttpOptions {
  readonly endpoint: string;
  readonly clientGroupID: string;
  readonly env: Env;
  readonly clientID: () => string;
  readonly fetcher: ((request: Request) => Promise<Response>) | undefined;
  readonly authHeaders:
    | ((who: { readonly clientID: string; readonly clientGroupID: string }) => HeadersInit | Promise<HeadersInit>)
    | undefined;
}

export interface Call {
  readonly url: string;
  readonly init: RequestInit;
}

/** A call with its login headers, as whoever performs it gets it. */
export interface ReadyCall extends Call {
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

export interface Exchange<T> {
  readonly make: () => Call;
  /** Reads the answer. Whoever reads much calls `beat` now and then: time counts from there anew. */
  readonly read: (response: Response, url: string, beat: () => void) => Promise<HttpAnswer<T>>;
  /** Sends the call by other means than `fetch`. */
  readonly perform?: (call: ReadyCall, beat: () => void) => Promise<Response>;
  /** Milliseconds without an answer or a beat until it counts as failed. Default `limits.requestMsMax`. */
  readonly msMax?: number;
  readonly signal: AbortSignal;
}

const noBody: ErrorBody = { error: "", code: "" };

/** Relative endpoints are relative to the page, where there is one. */
export function urlOf({ endpoint }: Pick<HttpOptions, "endpoint">, path: string): string {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  return new URL(`${endpoint.replace(/\/+$/, "")}/${path}`, base ?? "http://localhost").href;
}

/** Sends a request and reads its answer. When the signal aborts, it ends at once with a network failure. */
export async function send<T>(options: HttpOptions, exchange: Exchange<T>): Promise<HttpAnswer<T>> {
  const first = await sendOnce(options, exchange);
  // The login may have been renewed since the headers were made.
  const isRefused = !first.ok && first.failure.kind === "http" && first.failure.status === 401;
  return isRefused && options.authHeaders !== undefined && !exchange.signal.aborted
    ? sendOnce(options, exchange)
    : first;
}

/** An answer of JSON. Throws nothing: what `parse` throws makes the answer malformed. */
export async function readJSON<T>(
  response: Response,
  url: string,
  parse: (json: unknown) => T,
): Promise<HttpAnswer<T>> {
  const json = parseJSON(await response.text());
  if (!response.ok) return refusalOf(response, url, json);
  try {
    return { ok: true, value: parse(json), url };
  } catch (error) {
    return httpFailure(response, url, { message: `The server's answer is malformed: ${messageOf(error)}` });
  }
}

/** The failure of an answer that is not ok. */
export const readRefusal = async (response: Response, url: string): Promise<HttpRefusal> =>
  refusalOf(response, url, parseJSON(await response.text()));

function refusalOf(response: Response, url: string, json: unknown): HttpRefusal {
  const body = parseErrorBody(json);
  return httpFailure(response, url, { message: body.error || `The server answered ${response.status}.`, body });
}

/** An answer that counts as a failure. */
export function httpFailure(
  response: Response,
  url: string,
  { message, body = noBody }: { readonly message: string; readonly body?: ErrorBody },
): HttpRefusal {
  const { status } = response;
  return { ok: false, failure: { kind: "http", status, url, message, body, retryAfterMs: retryAfterMs(response) } };
}

const networkFailure = (message: string): HttpRefusal => ({
  ok: false,
  failure: { kind: "network", message, body: noBody },
});

/** One attempt, ended by its answer, by `signal` or by time, whatever `authHeaders` and `fetcher` do. */
async function sendOnce<T>(options: HttpOptions, exchange: Exchange<T>): Promise<HttpAnswer<T>> {
  const { env } = options;
  const { signal, msMax = limits.requestMsMax } = exchange;
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal.addEventListener("abort", stop);
  let timer = env.setTimeout(stop, msMax);
  const beat = () => {
    env.clearTimeout(timer);
    timer = env.setTimeout(stop, msMax);
  };
  const gaveUp = new Promise<HttpAnswer<T>>((resolve) => {
    abort.signal.addEventListener("abort", () => resolve(networkFailure(`No answer within ${msMax} ms.`)));
  });
  if (signal.aborted) stop();
  const answer = await Promise.race([attempt(options, exchange, { signal: abort.signal, beat }), gaveUp]);
  env.clearTimeout(timer);
  signal.removeEventListener("abort", stop);
  return answer;
}

async function attempt<T>(
  options: HttpOptions,
  { make, read, perform }: Exchange<T>,
  { signal, beat }: { readonly signal: AbortSignal; readonly beat: () => void },
): Promise<HttpAnswer<T>> {
  const { authHeaders, clientGroupID, fetcher } = options;
  const beatIfAlive = () => {
    if (!signal.aborted) beat();
  };
  try {
    const { url, init } = make();
    const headers = new Headers(init.headers);
    const extra = new Headers(await authHeaders?.({ clientID: options.clientID(), clientGroupID }));
    extra.forEach((value, name) => headers.set(name, value));
    const call = { url, init, headers, signal };
    const response = await (perform?.(call, beatIfAlive) ??
      (fetcher ?? fetch)(new Request(url, { ...init, headers, signal })));
    return await read(response, url, beatIfAlive);
  } catch (error) {
    return networkFailure(messageOf(error));
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
