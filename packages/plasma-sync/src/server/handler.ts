// Owns: createSyncHandler: from a Request to a Response. Routes, asks who it is, checks the request, and hands it to push, pull
// or blobs; turns whatever is thrown into an answer; calls the app's hooks.
// Invariants:
//   1. Every request gets an answer: nothing thrown here, by the database, a rule or a hook escapes.
//   2. `auth` is asked before the body is read. A preflight, an unknown path and a wrong method are answered without it:
//      they say nothing of any data.
//   3. Hooks run after the commit and cannot change the answer.
//   4. Nothing is awaited that another request began: a Worker may not.

import { must } from "../core/lib/assert.ts";
import { parsePullRequest } from "../core/protocol/pull.ts";
import { parsePushRequest } from "../core/protocol/push.ts";
import { PROTOCOL_VERSION } from "../core/protocol/version.ts";
import { BlobEndpoint } from "./blob/blob-endpoint.ts";
import {
  checkHandlerOptions,
  type Authorized,
  type HandlerSettings,
  type SyncHandlerOptions,
} from "./handler-options.ts";
import { ensureSchema } from "./migration/ensure-schema.ts";
import { admit } from "./realtime/admission.ts";
import { jsonResponse, refusalOf, refusalResponse, type Refusal } from "./sync/answer.ts";
import { authorize, checkIdentity } from "./sync/authorize.ts";
import { addCorsHeaders, preflightResponse } from "./sync/cors.ts";
import { HandlerHooks } from "./sync/handler-hooks.ts";
import { pull, type PullReport } from "./sync/pull.ts";
import { push, type PushReport } from "./sync/push.ts";
import { readJsonBody } from "./sync/read-body.ts";
import type { PlasmaMetric } from "./sync/sync-server-error.ts";
import { serverError } from "./server-error.ts";

export type SyncHandler = (request: Request) => Promise<Response>;

/**
 * Makes the sync server: a function from Request to Response that serves `{basePath}/push`, `{basePath}/pull`,
 * with the option `blobs` `{basePath}/blob/:sha256`, and with the option `coordinator` `{basePath}/coordinator`.
 *
 * @throws PlasmaError `server/option` for an option that cannot be.
 * @example
 * const handle = createSyncHandler({
 *   schema, mutators, executor, schemaVersion: "1",
 *   auth: async (request) => {
 *     const user = await userOf(request.headers.get("authorization"));
 *     return user ? { ok: true, clientGroupID: user.id, ctx: { userId: user.id } } : { ok: false, reason: "Sign in." };
 *   },
 * });
 */
export function createSyncHandler<Ctx>(options: SyncHandlerOptions<Ctx>): SyncHandler {
  const handler = new Handler(checkHandlerOptions(options as unknown as SyncHandlerOptions));
  return (request) => handler.handle(request);
}

/** The status of an answer that carries a socket. */
const SWITCHED = 101;

type Endpoint = "push" | "pull" | "blob" | "coordinator";
const methods: { readonly [E in Endpoint]: readonly string[] } = {
  push: ["POST"],
  pull: ["GET"],
  blob: ["GET", "HEAD", "PUT"],
  coordinator: ["GET"],
};

/** Counters of a request that failed before it had any. */
const noCounts = {
  push: { type: "push", applied: 0, rejected: 0, duplicates: 0, guardConflicts: 0 },
  pull: { type: "pull", puts: 0, dels: 0, rowsScanned: 0, resync: false },
  "blob-put": { type: "blob-put", sizeBytes: 0 },
  "blob-get": { type: "blob-get", sizeBytes: 0 },
} as const;

/** What of a metric the request itself knows. */
type Counts = PlasmaMetric extends infer M
  ? M extends PlasmaMetric
    ? Omit<M, "latencyMs" | "ok" | "status">
    : never
  : never;

class Handler {
  readonly #settings: HandlerSettings;
  readonly #hooks: HandlerHooks;
  readonly #blobs: BlobEndpoint | null;
  #isMigrated = false;

  constructor(settings: HandlerSettings) {
    const { blobs } = settings.options;
    this.#settings = settings;
    this.#hooks = new HandlerHooks(settings.options, settings.coordinator);
    this.#blobs =
      blobs === undefined ? null : new BlobEndpoint(settings, blobs.default, (hash) => this.#hooks.capHit(hash));
  }

  async handle(request: Request): Promise<Response> {
    try {
      const response = await this.#route(request);
      // A socket's answer belongs to the platform, and no page reads its headers.
      if (response.status !== SWITCHED) addCorsHeaders(response.headers, request, this.#settings.options.cors);
      return response;
    } catch (error) {
      return this.#refuse(error);
    }
  }

  async #route(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const endpoint = this.#endpointOf(url.pathname);
    if (endpoint === null) return this.#refuse(serverError("request/not-found", { path: url.pathname }));
    if (request.method === "OPTIONS" && this.#settings.options.cors !== undefined) return preflightResponse(request);
    if (!methods[endpoint].includes(request.method)) {
      const allowed = methods[endpoint].join(", ");
      const response = this.#refuse(serverError("request/method", { method: request.method, allowed }));
      response.headers.set("allow", allowed);
      return response;
    }
    if (endpoint === "blob") return this.#blob(request, url);
    if (endpoint === "coordinator") return this.#openSocket(request);
    return this.#measured(endpoint, (setCounts) =>
      endpoint === "push" ? this.#push(request, setCounts) : this.#pull(request, url, setCounts),
    );
  }

  #endpointOf(path: string): Endpoint | null {
    const { basePath, coordinator } = this.#settings;
    if (path === `${basePath}/push`) return "push";
    if (path === `${basePath}/pull`) return "pull";
    if (this.#blobs !== null && path.startsWith(`${basePath}/blob/`)) return "blob";
    return coordinator !== null && path === `${basePath}/coordinator` ? "coordinator" : null;
  }

  async #openSocket(request: Request): Promise<Response> {
    const coordinator = must(this.#settings.coordinator, "handler: without one the path is not found");
    const deps = {
      options: this.#settings.options,
      migrate: () => this.#migrate(),
      refused: (refusal: Refusal, cause: unknown) => this.#hooks.refused(refusal, cause),
    };
    // Where sockets are opened beside the handler, no request for one comes here.
    if (coordinator.accept === undefined)
      return this.#refuse(
        serverError("request/invalid", { why: "Only WebSockets are served here: send Upgrade: websocket." }),
      );
    const admitted = await admit(deps, request);
    if (admitted.kind === "in") return coordinator.accept(admitted.admission);
    if (admitted.kind === "answer") return admitted.answer;
    return coordinator.refuse?.(admitted.code, admitted.reason) ?? admitted.answer;
  }

  async #measured(
    endpoint: keyof typeof noCounts,
    serve: (setCounts: (counts: Counts) => void) => Promise<Response>,
  ): Promise<Response> {
    const { env } = this.#settings;
    const startedAt = env.now();
    let counts: Counts = noCounts[endpoint];
    const response = await serve((known) => (counts = known)).catch((error: unknown) => this.#refuse(error));
    const { status } = response;
    this.#hooks.metric({ ...counts, latencyMs: env.now() - startedAt, ok: status < 400, status });
    return response;
  }

  #blob(request: Request, url: URL): Promise<Response> {
    const blobs = must(this.#blobs, "handler: without blobs there is no such endpoint");
    const hash = url.pathname.slice(`${this.#settings.basePath}/blob/`.length);
    const type = request.method === "PUT" ? "blob-put" : "blob-get";
    return this.#measured(type, async (setCounts) => {
      const auth = await authorize(this.#settings.options, request);
      await this.#migrate();
      if (type === "blob-get") {
        const response = await blobs.get(request, auth, hash);
        const isSent = request.method === "GET" && response.status !== 304;
        setCounts({ type, sizeBytes: isSent ? Number(response.headers.get("content-length")) : 0 });
        return response;
      }
      setCounts({ type, sizeBytes: await blobs.put(request, auth, hash) });
      return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
    });
  }

  async #push(request: Request, setCounts: (counts: Counts) => void): Promise<Response> {
    const auth = await authorize(this.#settings.options, request);
    const body = await readJsonBody(request, this.#settings.payloadBytesMax);
    checkProtocol((body as { readonly protocolVersion?: unknown } | null)?.protocolVersion);
    const parsed = parsePushRequest(body);
    this.#checkIdentity(auth, parsed);
    const count = parsed.mutations.length;
    const countMax = this.#settings.mutationsMax;
    if (count > countMax) throw serverError("limit/mutations", { count, countMax });
    await this.#migrate();
    let guardConflicts = 0;
    const onGuardConflict = () => {
      guardConflicts += 1;
      setCounts({ ...noCounts.push, guardConflicts });
    };
    const onCapHit = (hash: string) => this.#hooks.capHit(hash);
    const report = await push(this.#settings, auth, parsed, { onGuardConflict, onCapHit });
    setCounts(pushCounts(report, guardConflicts));
    const { clientID, replicaID = null } = parsed;
    await this.#hooks.pushed(auth, report, { clientID, replicaID });
    return jsonResponse(200, report.response);
  }

  async #pull(request: Request, url: URL, setCounts: (counts: Counts) => void): Promise<Response> {
    const auth = await authorize(this.#settings.options, request);
    const version = url.searchParams.get("protocolVersion");
    checkProtocol(version !== null && /^\d{1,9}$/.test(version) ? Number(version) : null);
    const parsed = parsePullRequest(url.searchParams);
    this.#checkIdentity(auth, parsed);
    await this.#migrate();
    const report = await pull(this.#settings, auth, parsed);
    this.#settings.coordinator?.pulled?.(auth, parsed.clientID, parsed.replicaID ?? null);
    const { response } = report;
    const view = must(this.#settings.views.get(parsed.schemaVersion), "handler: the version was checked");
    const seen = { ...report, response: { ...response, patch: view(response.patch) } };
    setCounts(pullCounts(seen));
    return jsonResponse(200, seen.response);
  }

  /** What both kinds of request say of themselves must fit the server and the login. */
  #checkIdentity(
    auth: Authorized,
    request: { readonly schemaVersion: string; readonly clientGroupID: string; readonly clientID: string },
  ): void {
    const { views, options } = this.#settings;
    if (!views.has(request.schemaVersion)) throw serverError("schema/mismatch", { expected: options.schemaVersion });
    checkIdentity(auth, request);
  }

  /** Requests that come together each ask: cheap, idempotent, and none waits for another's promise. */
  async #migrate(): Promise<void> {
    if (this.#isMigrated) return;
    const { schema, executor } = this.#settings.options;
    await ensureSchema({ schema, executor });
    this.#isMigrated = true;
  }

  #refuse(error: unknown): Response {
    const refusal: Refusal = refusalOf(error);
    this.#hooks.refused(refusal, error);
    return refusalResponse(refusal);
  }
}

/** Before the shape: another version may have another. What is no number is left to the parser. */
function checkProtocol(version: unknown): void {
  if (typeof version === "number" && version !== PROTOCOL_VERSION)
    throw serverError("protocol/mismatch", { expected: PROTOCOL_VERSION });
}

function pushCounts({ response }: PushReport, guardConflicts: number): Counts {
  const count = (status: string) => response.results.filter((result) => result.status === status).length;
  return {
    type: "push",
    applied: count("applied"),
    rejected: count("rejected"),
    duplicates: count("duplicate"),
    guardConflicts,
  };
}

function pullCounts({ response, rowsScanned, resync }: PullReport): Counts {
  const count = (op: string) => response.patch.filter((change) => change.op === op).length;
  return { type: "pull", puts: count("put"), dels: count("del"), rowsScanned, resync };
}
