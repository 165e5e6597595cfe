// Owns: a pull: one page of what changed for the caller since its cookie.
//
//   no cookie, or one of another history, schema or ctxKey ──► "clear", tables by pages (first-sync.ts) ──► log ──► done
//   a cookie ──► log entries after it ──► (rows that they moved, moved-rows.ts) ──► done, or a page that ends at a log position
//                                                                                    from which the next goes on
//
// Invariants:
//   1. A catch-up is one batch of two statements (one snapshot), and costs O(entries of the page), never O(table); where a rule
//      looks into other tables and one of them changed, two statements more per table with such a rule.
//   2. lastMutationIDs and rejections are log positions like rows, so they are exactly as of the returned cookie.
//   3. While a first sync goes on, pages tell no advances: the client's state is no log position yet. Its last page tells
//      all that the audience ever had, read in the same batch as the last log entries.
//   4. Each catch-up page ends at a log position at which its reader is consistent: rows fold within a page only. While the
//      rows that it moved are told in parts, the cookie stays where the page began, and what the log itself tells waits.

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
import { readTablePage, startOf, type SyncPlace } from "./first-sync.ts";
import { LogChanges } from "./log-changes.ts";
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
import { readMovedRows } from "./moved-rows.ts";
import { ReadRules } from "./read-rules.ts";
import type { ReadScope } from "./read-scope.ts";
import { syncedTables, type TablePlace } from "./table-place.ts";
import { serverError } from "../server-error.ts";

export interface PullReport {
  readonly response: PullResponse;
  readonly rowsScanned: number;
  readonly resync: boolean;
}

/** Answers a checked pull. Throws `pull/cookie`, `auth/client-mismatch`, or what the database throws. */
export async function pull(settings: HandlerSettings, auth: Authorized, request: PullRequest): Promise<PullReport> {
  const scope = cookieScope(request.schemaVersion, auth.ctxKey);
  const cookie = request.cookie === undefined ? null : parseCookie(request.cookie);
  const page = new PullPage({ settings, auth, request, scope });
  if (cookie === null || !sameScope(cookie.scope, scope)) return page.begin(null);
  return cookie.page?.type === "tables" ? page.followTables(cookie, cookie.page) : page.followLog(cookie, cookie.page);
}

interface PullScope {
  readonly settings: HandlerSettings;
  readonly auth: Authorized;
  readonly request: PullRequest;
  readonly scope: CookieScope;
}

/** A log position. */
type Position = Pick<Cookie, "version" | "tag">;
type PageOf<T extends CookiePage["type"]> = Extract<CookiePage, { readonly type: T }>;

/** What a response already holds before the log is asked. */
interface Before {
  readonly patch: readonly PatchOp[];
  readonly rowsScanned: number;
}

class PullPage {
  readonly #scope: PullScope;
  readonly #limit: number;
  readonly #audience: Audience;
  readonly #read: ReadScope;

  constructor(scope: PullScope) {
    const { clientGroupID, replicaID, limit } = scope.request;
    const { schema, executor } = scope.settings.options;
    this.#scope = scope;
    this.#limit = limit ?? limits.pullPageSizeDefault;
    this.#audience = { clientGroupID, replicaID };
    this.#read = { schema, executor, rules: new ReadRules(schema, scope.auth.ctx) };
  }

  /** The first page of a re-sync. `known` spares the read of the log's end. */
  async begin(known: PullHead | null): Promise<PullReport> {
    const head = known ?? (await this.#readHead(0));
    const [first] = syncedTables(this.#read.schema);
    return this.#tables(head, startOf(first), [{ op: "clear" }]);
  }

  async followTables(cookie: Cookie, page: PageOf<"tables">): Promise<PullReport> {
    this.#checkTable(page);
    const head = await this.#readHead(cookie.version);
    if (!isOfLog(cookie, head)) return this.begin(head);
    const from = await this.#placeOf(page);
    return this.#tables(cookie, from, []);
  }

  async followLog(cookie: Cookie, page: PageOf<"log" | "moved"> | null): Promise<PullReport> {
    const { dialect } = this.#read.executor;
    const moved = page?.type === "moved" ? page : null;
    if (moved !== null) this.#checkTable(moved);
    const isFirstSync = moved?.isFirstSync ?? page?.type === "log";
    const reads = this.#logReads(cookie.version, { isFirstSync, room: this.#limit, upTo: moved?.to ?? null });
    const [headRows = [], ...logRows] = await this.#read.executor.batch([
      readHead(dialect, this.#scope.request.clientID, cookie.version),
      ...reads,
    ]);
    const head = this.#checkHead(headRows);
    if (!isOfLog(cookie, head)) return this.begin(head);
    const place = moved === null ? null : await this.#placeOf(moved);
    return this.#log(cookie, logRows, { isFirstSync, end: head.version, place, before: nothingBefore });
  }

  /** Rows of tables, and when the page has room behind the last of them, the log as well. */
  async #tables(start: Position, from: SyncPlace, first: readonly PatchOp[]): Promise<PullReport> {
    const page = await readTablePage(this.#read, start.version, { from, limit: this.#limit });
    const { rowsScanned, next } = page;
    const patch = [...first, ...page.patch];
    const room = this.#limit - rowsScanned;
    if (next !== "log" || room === 0) {
      const cookiePage: CookiePage =
        next === "log" ? { type: "log" } : { type: "tables", ...(await this.#sealed(next)) };
      return this.#partOf({ cookie: this.#cookie(start, cookiePage), patch, rowsScanned, resync: true });
    }
    const [headRows = [], ...logRows] = await this.#read.executor.batch([
      readHead(this.#read.executor.dialect, this.#scope.request.clientID, start.version),
      ...this.#logReads(start.version, { isFirstSync: true, room, upTo: null }),
    ]);
    const head = this.#checkHead(headRows);
    // The log was compacted, or put back, since the page began.
    if (!isOfLog(start, head))
      return this.#partOf({ cookie: this.#cookie(start, { type: "log" }), patch, rowsScanned, resync: true });
    const before = { patch, rowsScanned };
    return this.#log(start, logRows, { isFirstSync: true, end: head.version, place: null, before });
  }

  async #log(start: Position, logRows: readonly (readonly SqlRow[])[], page: LogPageScope): Promise<PullReport> {
    const { rules, schema } = this.#read;
    const { isFirstSync, before } = page;
    const [entryRows = [], ...newsRows] = logRows;
    const entries = entryRows.map(toLogEntry);
    const end = entries.at(-1) ?? start;
    const window = { from: start.version, to: end.version, changes: new LogChanges(entries, schema) };
    const limit = Math.max(1, this.#limit - before.rowsScanned);
    const moved = await readMovedRows(this.#read, window, { place: page.place, limit });
    const patch = [...before.patch, ...moved.patch];
    const rowsScanned = before.rowsScanned + moved.rowsScanned + entries.length;
    if (moved.next !== null) {
      const place = await this.#sealed(moved.next);
      const cookie = this.#cookie(start, { type: "moved", ...place, to: end.version, isFirstSync });
      return this.#partOf({ cookie, patch, rowsScanned, resync: isFirstSync });
    }
    const hasMore = end.version < page.end;
    const { lastMutationIDs, rejected } = isFirstSync ? firstNews(newsRows, hasMore) : newsOf(entries, this.#audience);
    const response = {
      cookie: this.#cookie(end, isFirstSync && hasMore ? { type: "log" } : null),
      patch: [...patch, ...patchOf(entries, rules)],
      lastMutationIDs,
      ...(hasMore ? { hasMore } : {}),
      ...(rejected.length > 0 ? { rejected } : {}),
    };
    return { response, rowsScanned, resync: isFirstSync };
  }

  /** A page after which the reader is at no log position. */
  #partOf({ cookie, patch, rowsScanned, resync }: Before & { cookie: string; resync: boolean }): PullReport {
    return { response: { cookie, patch, lastMutationIDs: {}, hasMore: true }, rowsScanned, resync };
  }

  #logReads(after: number, { isFirstSync, room, upTo }: { isFirstSync: boolean; room: number; upTo: number | null }) {
    const { dialect } = this.#read.executor;
    const since = this.#scope.settings.env.now() - limits.rejectionKeepMs;
    const news = isFirstSync
      ? [readLastIDs(dialect, this.#audience), readRejections(dialect, this.#audience, since)]
      : [];
    // A page that is told in parts is the same page each time, whatever limit its reader asks for by then.
    const limit = upTo === null ? room : limits.pullPageSizeMax;
    return [readLog(dialect, { after, upTo, limit, bytesMax: limits.pullPageBytesMax }), ...news];
  }

  async #readHead(anchor: number): Promise<PullHead> {
    const { executor } = this.#read;
    return this.#checkHead(await executor.all(readHead(executor.dialect, this.#scope.request.clientID, anchor)));
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

  async #sealed({ table, after }: TablePlace): Promise<{ readonly table: string; readonly place: string }> {
    return { table, place: await this.#scope.settings.seal.seal(table, after) };
  }

  #checkTable({ table }: PageOf<"tables" | "moved">): void {
    if (!syncedTables(this.#read.schema).some(({ name }) => name === table)) throw serverError("pull/cookie", {});
  }

  async #placeOf({ table, place }: PageOf<"tables" | "moved">): Promise<TablePlace> {
    return { table, after: await this.#scope.settings.seal.open(table, place) };
  }

  #cookie({ version, tag }: Position, page: CookiePage | null): string {
    return encodeCookie({ version, tag, scope: this.#scope.scope, page });
  }
}

const nothingBefore: Before = { patch: [], rowsScanned: 0 };

interface LogPageScope {
  readonly isFirstSync: boolean;
  /** The log's last version, read with the entries. */
  readonly end: number;
  /** Where the telling of moved rows goes on; null: at the first. */
  readonly place: TablePlace | null;
  readonly before: Before;
}

function firstNews([lastIDRows = [], rejectionRows = []]: readonly (readonly SqlRow[])[], hasMore: boolean): LogNews {
  if (hasMore) return { lastMutationIDs: {}, rejected: [] };
  return { lastMutationIDs: toLastIDs(lastIDRows), rejected: toRejections(rejectionRows) };
}

function owns({ clientGroupID, replicaID }: Audience, owner: NonNullable<PullHead["owner"]>): boolean {
  if (owner.clientGroupID !== clientGroupID) return false;
  return replicaID === undefined || owner.replicaID === null || owner.replicaID === replicaID;
}

/** Whether the log still has the entry at which the cookie was given, and all that came after it. */
const isOfLog = ({ version, tag }: Position, head: PullHead): boolean =>
  version >= head.compactedTo && (version === 0 ? tag === null : tag !== null && head.anchorTag === tag);
