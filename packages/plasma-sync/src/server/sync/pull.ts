// Owns: a pull: one page of what changed for the caller since its cookie.
//
//   no cookie, or one of another history, schema or ctxKey ──► "clear", then by pages: log, rows of tables (first-sync.ts)
//                                                              … until there are no more of either ──► done
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
import type { SqlRow, SqlStatement } from "../database/sql-executor.ts";
import type { Authorized, HandlerSettings } from "../handler-options.ts";
import {
  cookieScope,
  encodeCookie,
  parseCookie,
  sameScope,
  type Cookie,
  type CookiePage,
  type CookieScope,
  type Position,
  type SealedPlace,
} from "./cookie.ts";
import { readTablePage, startOf, type SyncPlace } from "./first-sync.ts";
import { LogChanges } from "./log-changes.ts";
import { foldRows, newsOf, patchOf, type LogNews } from "./log-page.ts";
import {
  isOfLog,
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
  return cookie === null || !sameScope(cookie.scope, scope) ? page.begin(null) : page.follow(cookie);
}

interface PullScope {
  readonly settings: HandlerSettings;
  readonly auth: Authorized;
  readonly request: PullRequest;
  readonly scope: CookieScope;
}

/** What the reader is in the middle of, as in CookiePage. */
type Phase =
  | { readonly type: "catch-up" }
  | { readonly type: "tables"; readonly place: TablePlace }
  | { readonly type: "log" };

/** What a response holds already. */
interface Told {
  readonly patch: readonly PatchOp[];
  readonly rowsScanned: number;
}
const nothing: Told = { patch: [], rowsScanned: 0 };

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
    const head = known ?? this.#checkHead(await this.#read.executor.all(this.#readHead(0)));
    const [first] = syncedTables(this.#read.schema);
    return this.#tables(head, startOf(first), { patch: [{ op: "clear" }], rowsScanned: 0 });
  }

  /** What came after the cookie. */
  async follow(cookie: Cookie): Promise<PullReport> {
    const moved = cookie.page?.type === "moved" ? cookie.page : null;
    const page = moved === null ? cookie.page : moved.next;
    this.#checkTables([moved, page]);
    const range = { room: this.#limit, upTo: moved?.to ?? null };
    const [headRows = [], ...logRows] = await this.#read.executor.batch([
      this.#readHead(cookie.version),
      ...this.#logReads(cookie.version, { ...range, isFirstSync: page?.type === "log" }),
    ]);
    const head = this.#checkHead(headRows);
    if (!isOfLog(cookie, head)) return this.begin(head);
    const phase = await this.#phaseOf(page);
    const from = moved === null ? null : await this.#placeOf(moved);
    return this.#log(cookie, logRows, { phase, end: head.version, from, told: nothing });
  }

  /** Rows of tables as of `start`, and when the page has room behind the last of them, what came since. */
  async #tables(start: Position, from: SyncPlace, told: Told): Promise<PullReport> {
    const limit = this.#limit - told.rowsScanned;
    const page = await readTablePage(this.#read, start.version, { from, limit });
    const patch = [...told.patch, ...page.patch];
    const rowsScanned = told.rowsScanned + page.rowsScanned;
    const room = this.#limit - rowsScanned;
    const stop = async (place: SyncPlace) => this.#partOf(start, await this.#pageAt(place), { patch, rowsScanned });
    if (page.next !== "log" || room === 0) return stop(page.next);
    const [headRows = [], ...logRows] = await this.#read.executor.batch([
      this.#readHead(start.version),
      ...this.#logReads(start.version, { isFirstSync: true, room, upTo: null }),
    ]);
    const head = this.#checkHead(headRows);
    // The log was compacted, or put back, since the page began: the next request finds out.
    if (!isOfLog(start, head)) return stop("log");
    const phase = { type: "log" } as const;
    return this.#log(start, logRows, { phase, end: head.version, from: null, told: { patch, rowsScanned } });
  }

  async #log(start: Position, logRows: readonly (readonly SqlRow[])[], page: LogPageScope): Promise<PullReport> {
    const { rules, schema } = this.#read;
    const { phase, told } = page;
    const [entryRows = [], ...newsRows] = logRows;
    const entries = entryRows.map(toLogEntry);
    const end = entries.at(-1) ?? start;
    const window = { from: start.version, to: end.version, changes: new LogChanges(entries, schema) };
    const limit = Math.max(1, this.#limit - told.rowsScanned);
    const moved = await readMovedRows(this.#read, window, { place: page.from, limit });
    const rowsScanned = told.rowsScanned + moved.rowsScanned + entries.length;
    // A state before a bound that came while it was read was not whole.
    const head = moved.hasAsked ? this.#checkHead(await this.#read.executor.all(this.#readHead(start.version))) : null;
    if (head !== null && !isOfLog(start, head)) return this.begin(head);
    if (moved.next !== null) {
      const next = await this.#cookiePageOf(phase);
      const cookiePage = { type: "moved", ...(await this.#sealed(moved.next)), to: end.version, next } as const;
      return this.#partOf(start, cookiePage, { patch: [...told.patch, ...moved.patch], rowsScanned });
    }
    const patch = [...told.patch, ...moved.patch, ...patchOf(foldRows(entries), rules)];
    const hasMore = end.version < page.end;
    if (phase.type === "tables") {
      const isFull = hasMore || rowsScanned >= this.#limit;
      if (isFull) return this.#partOf(end, await this.#pageAt(phase.place), { patch, rowsScanned });
      return this.#tables(end, phase.place, { patch, rowsScanned });
    }
    if (phase.type === "log" && hasMore) return this.#partOf(end, { type: "log" }, { patch, rowsScanned });
    const news = phase.type === "log" ? allNews(newsRows) : newsOf(entries, this.#audience);
    const response = {
      cookie: this.#cookie(end, null),
      patch,
      lastMutationIDs: news.lastMutationIDs,
      ...(hasMore ? { hasMore } : {}),
      ...(news.rejected.length > 0 ? { rejected: news.rejected } : {}),
    };
    return { response, rowsScanned, resync: phase.type === "log" };
  }

  /** A page after which the reader is at no log position. */
  #partOf(position: Position, page: CookiePage, { patch, rowsScanned }: Told): PullReport {
    const isFirstSync = page.type !== "moved" || page.next !== null;
    const response = { cookie: this.#cookie(position, page), patch, lastMutationIDs: {}, hasMore: true };
    return { response, rowsScanned, resync: isFirstSync };
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

  #readHead(anchor: number): SqlStatement {
    return readHead(this.#read.executor.dialect, this.#scope.request.clientID, anchor);
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

  #checkTables(pages: readonly (CookiePage | null)[]): void {
    const tables = syncedTables(this.#read.schema);
    for (const page of pages)
      if (page !== null && "table" in page && !tables.some(({ name }) => name === page.table))
        throw serverError("pull/cookie", {});
  }

  async #phaseOf(page: CookiePage | null): Promise<Phase> {
    if (page === null) return { type: "catch-up" };
    return page.type === "log" ? page : { type: "tables", place: await this.#placeOf(page) };
  }

  async #cookiePageOf(phase: Phase): Promise<CookiePage | null> {
    if (phase.type === "catch-up") return null;
    return this.#pageAt(phase.type === "log" ? "log" : phase.place);
  }

  async #pageAt(place: SyncPlace): Promise<CookiePage> {
    return place === "log" ? { type: "log" } : { type: "tables", ...(await this.#sealed(place)) };
  }

  async #sealed({ table, after }: TablePlace): Promise<SealedPlace> {
    return { table, place: await this.#scope.settings.seal.seal(table, after) };
  }

  async #placeOf({ table, place }: SealedPlace): Promise<TablePlace> {
    return { table, after: await this.#scope.settings.seal.open(table, place) };
  }

  #cookie({ version, tag }: Position, page: CookiePage | null): string {
    return encodeCookie({ version, tag, scope: this.#scope.scope, page });
  }
}

interface LogPageScope {
  readonly phase: Phase;
  /** The log's last version, read with the entries. */
  readonly end: number;
  /** Where the telling of moved rows goes on; null: at the first. */
  readonly from: TablePlace | null;
  readonly told: Told;
}

const allNews = ([lastIDRows = [], rejectionRows = []]: readonly (readonly SqlRow[])[]): LogNews => ({
  lastMutationIDs: toLastIDs(lastIDRows),
  rejected: toRejections(rejectionRows),
});

function owns({ clientGroupID, replicaID }: Audience, owner: NonNullable<PullHead["owner"]>): boolean {
  if (owner.clientGroupID !== clientGroupID) return false;
  return replicaID === undefined || owner.replicaID === null || owner.replicaID === replicaID;
}
