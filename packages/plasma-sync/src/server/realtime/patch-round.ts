// Owns: PatchRound: what one state of the log means to those who are to be told of it, each by the rules of pull.ts.
// Invariants:
//   1. A patch is what a pull with the same cookie and the same `ctx` would answer, as one whole page: no clear, no rest,
//      nothing refused. Where that is not so, or costs too much, there is none, and the reader pulls.
//   2. A page of the log is folded and parsed once for all who are at its beginning; moved rows (moved-rows.ts) are asked once
//      for all whose rules are the same, and for at most `limits.pokeAsksMax` in a round.
//   3. Rules are asked anew in each round: nothing that a rule said outlives it.

import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { PatchOp } from "../../core/protocol/pull.ts";
import type { PokeFrame } from "../../core/protocol/realtime.ts";
import type { Authorized, HandlerSettings } from "../handler-options.ts";
import { cookieScope, encodeCookie, sameScope, type Cookie, type CookieScope, type Position } from "../sync/cookie.ts";
import { LogChanges } from "../sync/log-changes.ts";
import { foldRows, newsOf, patchOf } from "../sync/log-page.ts";
import { isOfLog, readHead, toHead, type Audience, type LogEntry } from "../sync/log-reads.ts";
import { mayHaveMoved, readMovedRows, type LogWindow } from "../sync/moved-rows.ts";
import { ReadRules } from "../sync/read-rules.ts";
import type { ReadScope } from "../sync/read-scope.ts";
import { syncedTables } from "../sync/table-place.ts";
import type { RowHistory } from "../sync/visibility.ts";
import type { LogTail } from "./log-tail.ts";

/** Who asks, and from where on. */
export interface PatchReader {
  readonly auth: Authorized;
  readonly replicaID: string | null;
  readonly schemaVersion: string;
  /** As the client has it. */
  readonly from: string;
  /** The same, read. */
  readonly cookie: Cookie;
}

/** A frame, and the cookie that its reader has then. */
export interface PatchFrame {
  readonly text: string;
  readonly cookie: string;
  readonly position: Cookie;
}

/**
 * A frame to send, or: `none`: nothing that the reader sees has changed. `pull`: only a pull can tell. `crowd`: the same, as
 * too many had to be asked for.
 */
export type PatchAnswer = PatchFrame | "none" | "pull" | "crowd";

/** Rows that were moved, or why they are not known. */
type Moved = readonly PatchOp[] | "pull" | "crowd";

interface Page extends LogWindow {
  readonly position: Position;
  readonly end: LogEntry;
  readonly entries: readonly LogEntry[];
  readonly histories: Iterable<RowHistory>;
}

export class PatchRound {
  readonly #settings: HandlerSettings;
  readonly #tail: LogTail;
  readonly #pages = new Map<string, Page | null>();
  readonly #movedByRules = new Map<string, Promise<Moved>>();
  #asks = 0;

  constructor(settings: HandlerSettings, tail: LogTail) {
    this.#settings = settings;
    this.#tail = tail;
  }

  /** At once, or where the database must be asked, what asks it: so readers who need not wait for others do not. */
  answer(reader: PatchReader): PatchAnswer | (() => Promise<PatchAnswer>) {
    const scope = cookieScope(reader.schemaVersion, reader.auth.ctxKey);
    const page =
      sameScope(reader.cookie.scope, scope) && reader.cookie.page === null ? this.#pageAt(reader.cookie) : null;
    if (page === null) return "pull";
    const { schema, executor } = this.#settings.options;
    const read = { schema, executor, rules: new ReadRules(schema, reader.auth.ctx) };
    if (!mayHaveMoved(read, page.changes)) return this.#frame(reader, page, { scope, read, moved: [] });
    return async () => {
      const moved = await this.#moved(read, page);
      return typeof moved === "string" ? moved : this.#frame(reader, page, { scope, read, moved });
    };
  }

  #frame(
    reader: PatchReader,
    page: Page,
    { scope, read, moved }: { scope: CookieScope; read: ReadScope; moved: readonly PatchOp[] },
  ): PatchAnswer {
    const { auth, replicaID, schemaVersion, from } = reader;
    const audience: Audience = { clientGroupID: auth.clientGroupID, replicaID: replicaID ?? undefined };
    const { lastMutationIDs, rejected } = newsOf(page.entries, audience);
    if (rejected.length > 0) return "pull";
    const view = must(this.#settings.views.get(schemaVersion), "patch: readers are of versions that are served");
    const patch = view([...moved, ...patchOf(page.histories, read.rules)]);
    if (patch.length === 0 && Object.keys(lastMutationIDs).length === 0) return "none";
    const { version, tag } = page.end;
    const position = { version, tag, scope, page: null };
    const cookie = encodeCookie(position);
    const frame: PokeFrame = { type: "poke", patch: { from, cookie, patch, lastMutationIDs } };
    const text = JSON.stringify(frame);
    return text.length > limits.pokePatchCharsMax ? "pull" : { text, cookie, position };
  }

  /** The page of the log from a position to the end; null when the tail does not hold it, or it is empty or too long. */
  #pageAt(position: Position): Page | null {
    const key = `${position.version} ${position.tag}`;
    let page = this.#pages.get(key);
    if (page === undefined) this.#pages.set(key, (page = this.#readPage(position)));
    return page;
  }

  #readPage({ version, tag }: Position): Page | null {
    const entries = this.#tail.after({ version, tag });
    const end = entries?.at(-1);
    if (entries === null || end === undefined || entries.length > limits.pokeEntriesMax) return null;
    return {
      position: { version, tag },
      end,
      entries,
      from: version,
      to: end.version,
      changes: new LogChanges(entries, this.#settings.options.schema),
      histories: foldRows(entries),
    };
  }

  /** Moved rows of the page, asked for once for all who have the same rules. */
  #moved(read: ReadScope, page: Page): Promise<Moved> {
    const key = `${page.from} ${rulesKey(read)}`;
    let moved = this.#movedByRules.get(key);
    if (moved === undefined) this.#movedByRules.set(key, (moved = this.#ask(read, page)));
    return moved;
  }

  async #ask(read: ReadScope, page: Page): Promise<Moved> {
    if (this.#asks >= limits.pokeAsksMax) return "crowd";
    this.#asks += 1;
    const { patch, next } = await readMovedRows(read, page, { place: null, limit: limits.pokeEntriesMax });
    if (next !== null) return "pull";
    // A state before a bound that came while it was read was not whole.
    const [row] = await read.executor.all(readHead(read.executor.dialect, "", page.from));
    return row !== undefined && isOfLog(page.position, toHead(row)) ? patch : "pull";
  }
}

/** Two readers with one key see the same rows by rules that the database decides: a rule is its condition. */
function rulesKey({ schema, rules }: ReadScope): string {
  const conditions = syncedTables(schema).map((meta) => {
    const rule = rules.of(meta);
    return rule.type === "query" ? rule.where : null;
  });
  return JSON.stringify(conditions, (_, value: unknown) => {
    if (typeof value === "bigint") return { $bigint: String(value) };
    return value instanceof Uint8Array ? { $bytes: [...value] } : value;
  });
}
