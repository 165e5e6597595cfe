// Owns: a pull: one page of what changed for the caller since its cookie.
//
//   no cookie, or one of another history, schema or ctxKey ──► "clear", tables by pages (first-sync.ts) ──► log ──► done
//   a cookie ──► log entries after it ──► done, or a page that ends at a log position from which the next goes on
//
// Invariants:
//   1. A catch-up is one batch of two statements (one snapshot), and costs O(entries of the page), never O(table).
//   2. lastMutationIDs and rejections are log positions like rows, so they are exactly as of the returned cookie.
//   3. While a first sync goes on, pages tell no advances: the client's state is no log position yet. Its last page tells
//      all that the audience ever had, read in the same batch as the last log entries.
//   4. Each catch-up page ends at a log position at which its reader is consistent: rows fold within a page only.

import { assert } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { PatchOp, PullRequest, PullResponse } from "../../core/protocol/pull.ts";
import type { SqlRow } from "../database/sql-executor.ts";
import type { Authorized, HandlerSettings } from "../handler-options.ts";
import {
  cookieScope,
  encodeCookie,
  parseCookie,
  sameScope,
  type Cookie,
  type CookiePage,
  type CookieScope,
} from "./cookie.ts";
import { readTablePage, startOf, syncedTables, type SyncPlace } from "./first-sync.ts";
import { newsOf, patchOf, type LogNews } from "./log-page.ts";
import {
  readHead,
  readLastIDs,
  readLog,
  readRejections,
  toHead,
  toLastIDs,
  toLogEntry,
  toRejections,
  type Audience,
  type PullHead,
} from "./log-reads.ts";
import { serverError } from "../server-error.ts";

export interface PullReport {
  readonly response: PullResponse;
  readonly rowsScanned: number;
  readonly resync: boolean;
}

/** Answers a checked pull. Throws `pull/cookie`, `auth/client-mismatch`, or what the database throws. */
export async function pull(settings: HandlerSettings, auth: Authorized, request: PullRequest): Promise<PullReport> {
  const scope = cookieScope(settings.options.schemaVersion, auth.ctxKey);
  const cookie = request.cookie === undefined ? null : parseCookie(request.cookie);
  const page = new PullPage({ settings, auth, request, scope });
  if (cookie === null || !sameScope(cookie.scope, scope)) return page.begin(null);
  return cookie.page === null || cookie.page === "log"
    ? page.followLog(cookie)
    : page.followTables(cookie, cookie.page);
}

interface PullScope {
  readonly settings: HandlerSettings;
  readonly auth: Authorized;
  readonly request: PullRequest;
  readonly scope: CookieScope;
}

/** A log position. */
type Position = Pick<Cookie, "version" | "tag">;

class PullPage {
  readonly #scope: PullScope;
  readonly #limit: number;
  readonly #audience: Audience;

  constructor(scope: PullScope) {
    const { clientGroupID, replicaID, limit } = scope.request;
    this.#scope = scope;
    this.#limit = limit ?? limits.pullPageSizeDefault;
    this.#audience = { clientGroupID, replicaID };
  }

  /** The first page of a re-sync. `known` spares the read of the log's end. */
  async begin(known: PullHead | null): Promise<PullReport> {
    const head = known ?? (await this.#readHead(0));
    const [first] = syncedTables(this.#scope.settings.options.schema);
    return this.#tables(head, startOf(first), [{ op: "clear" }]);
  }

  async followTables(cookie: Cookie, { table, place }: Exclude<CookiePage, "log">): Promise<PullReport> {
    const { options, seal } = this.#scope.settings;
    if (!syncedTables(options.schema).some(({ name }) => name === table)) throw serverError("pull/cookie", {});
    const head = await this.#readHead(cookie.version);
    if (!isOfLog(cookie, head)) return this.begin(head);
    return this.#tables(cookie, { table, after: await seal.open(table, place) }, []);
  }

  async followLog(cookie: Cookie): Promise<PullReport> {
    const { clientID } = this.#scope.request;
    const isFirstSync = cookie.page === "log";
    const statements = [
      readHead(clientID, cookie.version),
      ...this.#logReads(cookie.version, this.#limit, isFirstSync),
    ];
    const [headRows = [], ...logRows] = await this.#scope.settings.options.executor.batch(statements);
    const head = this.#checkHead(headRows);
    if (!isOfLog(cookie, head)) return this.begin(head);
    return this.#log(cookie, logRows, { isFirstSync, room: this.#limit, earlier: [], rowsScanned: 0 });
  }

  /** Rows of tables, and when the page has room behind the last of them, the log as well. */
  async #tables(start: Position, from: SyncPlace, before: readonly PatchOp[]): Promise<PullReport> {
    const { settings, auth } = this.#scope;
    const { schema, executor } = settings.options;
    const { patch, rowsScanned, next } = await readTablePage({ schema, executor, ctx: auth.ctx }, from, this.#limit);
    const earlier = [...before, ...patch];
    const room = this.#limit - rowsScanned;
    if (next !== "log" || room === 0) {
      const response = {
        cookie: this.#cookie(start, await this.#sealed(next)),
        patch: earlier,
        lastMutationIDs: {},
        hasMore: true,
      };
      return { response, rowsScanned, resync: true };
    }
    const logRows = await executor.batch(this.#logReads(start.version, room, true));
    return this.#log(start, logRows, { isFirstSync: true, room, earlier, rowsScanned });
  }

  #log(start: Position, logRows: readonly (readonly SqlRow[])[], page: LogPageScope): PullReport {
    const { schema } = this.#scope.settings.options;
    const [entryRows = [], ...newsRows] = logRows;
    const entries = entryRows.slice(0, page.room).map(toLogEntry);
    const hasMore = entryRows.length > entries.length;
    const end = entries.at(-1) ?? start;
    const patch = [...page.earlier, ...patchOf(entries, schema, this.#scope.auth.ctx)];
    const { lastMutationIDs, rejected } = page.isFirstSync
      ? firstNews(newsRows, hasMore)
      : newsOf(entries, this.#audience);
    const response = {
      cookie: this.#cookie(end, page.isFirstSync && hasMore ? "log" : null),
      patch,
      lastMutationIDs,
      ...(hasMore ? { hasMore } : {}),
      ...(rejected.length > 0 ? { rejected } : {}),
    };
    return { response, rowsScanned: page.rowsScanned + entries.length, resync: page.isFirstSync };
  }

  /** One entry more than the page holds tells whether there are more. */
  #logReads(after: number, room: number, isFirstSync: boolean) {
    const since = this.#scope.settings.env.now() - limits.rejectionKeepMs;
    const news = isFirstSync ? [readLastIDs(this.#audience), readRejections(this.#audience, since)] : [];
    return [readLog(after, room + 1), ...news];
  }

  async #readHead(anchor: number): Promise<PullHead> {
    const { settings, request } = this.#scope;
    return this.#checkHead(await settings.options.executor.all(readHead(request.clientID, anchor)));
  }

  /** Throws `auth/client-mismatch` when the asking client belongs to another group or replica. */
  #checkHead(rows: readonly SqlRow[]): PullHead {
    const [row] = rows;
    assert(row !== undefined, "pull: the head is always one row");
    const head = toHead(row);
    const { clientID } = this.#scope.request;
    if (head.owner !== null && !owns(this.#audience, head.owner))
      throw serverError("auth/client-mismatch", { clientID });
    return head;
  }

  async #sealed(place: SyncPlace): Promise<CookiePage> {
    if (place === "log") return place;
    const { table, after } = place;
    return { table, place: await this.#scope.settings.seal.seal(table, after) };
  }

  #cookie({ version, tag }: Position, page: CookiePage | null): string {
    return encodeCookie({ version, tag, scope: this.#scope.scope, page });
  }
}

interface LogPageScope {
  readonly isFirstSync: boolean;
  /** Entries that the page may hold. */
  readonly room: number;
  /** Ops before those of the log, and rows read for them. */
  readonly earlier: readonly PatchOp[];
  readonly rowsScanned: number;
}

function firstNews([lastIDRows = [], rejectionRows = []]: readonly (readonly SqlRow[])[], hasMore: boolean): LogNews {
  if (hasMore) return { lastMutationIDs: {}, rejected: [] };
  return { lastMutationIDs: toLastIDs(lastIDRows), rejected: toRejections(rejectionRows) };
}

function owns({ clientGroupID, replicaID }: Audience, owner: NonNullable<PullHead["owner"]>): boolean {
  if (owner.clientGroupID !== clientGroupID) return false;
  return replicaID === undefined || owner.replicaID === null || owner.replicaID === replicaID;
}

/** Whether the log still has the entry at which the cookie was given. */
const isOfLog = ({ version, tag }: Position, head: PullHead): boolean =>
  version === 0 ? tag === null : tag !== null && head.anchorTag === tag;
