// Owns: what a run has met of faults and of the protocol's branches, as counts by name; and which must not be missing.

import type { SyncClientError } from "../../packages/plasma-sync/src/client/sync/sync-error.ts";
import type { SimAnswer, SimRequest } from "../../packages/plasma-sync/src/testing/sim-network.ts";
import { ADMIN_SECRET, secretOf } from "./features-private.ts";
import { USERS } from "./feature.ts";
import type { History } from "./history.ts";
import type { RunScope } from "./run-scope.ts";

/** What the world says has happened. */
export const noteSeen = (history: History, what: string): void => history.count(what);

/** What a client told its app. */
export const errorTold = (history: History, error: SyncClientError): void =>
  history.count(`told: ${error.kind}${"phase" in error ? ` ${error.phase}` : ""}`);

/** Counts what the server has answered, and sees to it that nobody is sent what they may not know. */
export function answerSeen(run: RunScope, request: SimRequest, answer: SimAnswer): void {
  const { history } = run;
  const { pathname, searchParams } = new URL(request.url);
  const kind = pathname.split("/").at(-1) ?? "";
  const user = request.headers.find(([name]) => name === "x-user")?.[1] ?? "";
  run.trace("server", `${kind} of ${user} → ${answer.status} ${answer.body.slice(0, 2000)}`);
  leaks(run, user, answer.body);
  if (pathname.includes("/blob/"))
    return history.count(`blob ${request.method} ${answer.status} ${codeIn(answer.body)}`.trim());
  if (answer.status !== 200) return refusalSeen(history, `${kind} ${answer.status} ${codeIn(answer.body)}`);
  if (kind === "push") return pushSeen(run, request, JSON.parse(answer.body));
  pullSeen(history, searchParams.get("cookie"), JSON.parse(answer.body));
}

/** A client leaves out no id; only a database that was put back can lack one. */
function refusalSeen(history: History, what: string): void {
  history.count(what);
  if (what === GAP && history.restoredMs === null) history.violate("a mutation was pushed before one that comes first");
}

const GAP = "push 409 push/gap";

function codeIn(body: string): string {
  try {
    return String((JSON.parse(body) as { readonly code?: unknown }).code ?? "");
  } catch {
    return "";
  }
}

interface PushAnswer {
  readonly results: readonly { readonly status: string; readonly error?: { readonly code: string } }[];
}

interface PushBody {
  readonly mutations: readonly { readonly clientID?: string; readonly name: string }[];
}

function pushSeen(run: RunScope, { body }: SimRequest, { results }: PushAnswer): void {
  const { history, apps } = run;
  const { mutations } = JSON.parse(body ?? "{}") as PushBody;
  for (const { name } of mutations)
    if (apps.v1.mutatorsByName.get(name)?.isLocal === true)
      history.violate(`${name} is of the device alone, and was pushed`);
  history.count("push 200");
  if (mutations.length > 1) history.count("push of several");
  if (new Set(mutations.map(({ clientID }) => clientID)).size > 1) history.count("push of several tabs");
  if (results.length < mutations.length) history.count("push answered for a prefix");
  for (const { status, error } of results)
    history.count(error === undefined ? `result ${status}` : `result ${status} ${error.code}`);
}

interface PullAnswer {
  readonly patch: readonly { readonly op: string }[];
  readonly hasMore?: boolean;
  readonly rejected?: readonly unknown[];
  readonly lastMutationIDs: object;
}

function pullSeen(history: History, cookie: string | null, page: PullAnswer): void {
  const isResync = page.patch[0]?.op === "clear";
  history.count(cookie === null ? "pull first" : "pull on");
  if (page.hasMore === true) history.count(isResync ? "pull hasMore of a re-sync" : "pull hasMore");
  if (isResync) history.count(cookie === null ? "pull clear at first" : "pull clear: re-sync");
  if (page.patch.some(({ op }) => op === "del")) history.count("pull with del");
  if ((page.rejected?.length ?? 0) > 0) history.count("pull with rejected");
  if (Object.keys(page.lastMutationIDs).length > 0) history.count("pull with advances");
}

/** Nobody is sent what they may not know. */
export function leaks(run: RunScope, user: string, body: string): void {
  for (const other of USERS)
    if (other !== user && body.includes(secretOf(other))) run.history.violate(`${user} was sent a secret of ${other}`);
  // A role taken away while the answer was made is of its time.
  if (body.includes(ADMIN_SECRET) && !run.wasAdmin.has(user))
    run.history.violate(`${user} was sent a secret of admins`);
}

/** Each must happen so often in a run over many seeds, or it proves nothing of them. */
export const COUNT_MIN = 20;

export const REQUIRED: readonly string[] = [
  "network: cut off",
  "network: request lost",
  "network: answer lost",
  "network: request twice",
  "network: bad gateway",
  "network: no server",
  "network: cut off before the answer",
  "server: killed",
  "server: started",
  "server: log compacted",
  "server: backup restored",
  "tab: killed",
  "tab: closed",
  "step: freeze",
  "step: crash",
  "step: reload",
  "step: reset",
  "step: clock",
  "step: role",
  "step: upgrade server",
  "step: upgrade tab",
  "disk: failed before append",
  "disk: failed before sync",
  "disk: failed before take epoch",
  "disk: tab died before append",
  "disk: tab died after append",
  "disk: tab died before sync",
  "disk: tab died after sync",
  "disk: failed before read",
  "disk: tab died before read",
  "cold: rows by id",
  "cold: window",
  "cold: stream",
  "cold: stale",
  "push 200",
  "push of several",
  "push of several tabs",
  "push answered for a prefix",
  "push 401 auth/unauthorized",
  "push 409 push/gap",
  "push 409 schema/mismatch",
  "push 413 limit/mutations",
  "push 429 limit/rate",
  "push 503 server/retry",
  "pull 401 auth/unauthorized",
  "pull 409 schema/mismatch",
  "pull 429 limit/rate",
  "pull 503 server/retry",
  "pull first",
  "pull on",
  "pull hasMore",
  "pull hasMore of a re-sync",
  "pull clear: re-sync",
  "pull with del",
  "pull with rejected",
  "pull with advances",
  "push: guardConflicts",
  "result applied",
  "result duplicate",
  "result rejected mutation/app",
  "result rejected mutation/args",
  "result rejected constraint/unique",
  "result rejected auth/denied",
  "told: network push",
  "told: network pull",
  "told: storage",
  "told: rebase-replay",
  "told: mutation-rejected",
  "told: schema-mismatch tab",
  "told: schema-mismatch pull",
  "resolveConflict ran",
  "step: hide",
  "step: show",
  "step: stop page",
  "lead: handed over",
  "lead: taken from a tab that lives",
  "lead: taken from a frozen tab",
  "replay: ran",
  "replay: skipped",
  "first sync interrupted",
  "renumbered",
  "socket: opened",
  "socket: cut",
  "socket: half-open",
  "socket: no server",
  "socket: server closed it with 4401",
  "socket: server closed it with 4403",
  "socket: server closed it with 4408",
  "frame: poke",
  "frame: poke with a patch",
  "patch: begins here",
  "patch: begins elsewhere",
  "patch: taken",
  "presence: changed",
  "presence: compared",
  "network: upload cut",
  "blob PUT 204",
  "blob GET 200",
  "server: blobs collected",
  "file: asked, 200",
  "file: asked, 404",
  "result rejected blob/refused",
  "told: blob-upload-failed",
  "drafts: compared",
  "tab: opened without a server",
];

/** The names of `REQUIRED` that occurred too seldom, with their counts. */
export const missing = (counts: ReadonlyMap<string, number>): string[] =>
  REQUIRED.filter((name) => (counts.get(name) ?? 0) < COUNT_MIN).map((name) => `${name}: ${counts.get(name) ?? 0}`);
