// Owns: the fuzz of the HTTP surface: sends hostile requests to a server with planted secrets, and judges every answer.
// Judged: only statuses and codes of SPEC's list, by what the client's own parsers read; no stack; no byte of a row that the
// asking person may not see; no text of a mutator's error to anyone but the replica that pushed; nothing written by a
// request that is refused, by a pull, by duplicates; statements and bytes bounded; the server works on to the end.

import { DatabaseSync } from "node:sqlite";
import { parsePullResponse } from "../../core/protocol/pull.ts";
import { parsePushResponse, type PushResponse } from "../../core/protocol/push.ts";
import * as limits from "../../core/limits.ts";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { watched } from "../database/server-database.fixture.ts";
import { ERROR_CODES, REJECTION_CODES } from "./documented-codes.fixture.ts";
import { ENDLESS_CHUNK_BYTES, HostileRequests, USERS, type HostileRequest } from "./hostile-requests.fixture.ts";
import { batchOnly } from "./memory-database-node.fixture.ts";
import { authOf, maySee, RawClient, startServer, type TestServer } from "./sync-server.fixture.ts";

/** Refusals that need a look into the database; every other one is made before it. */
const READ_FIRST = new Set(["auth/client-mismatch", "push/gap", "pull/cookie"]);
const READ_FIRST_STATEMENTS_MAX = 4;
/** A pull is one batch of the log, or of a first sync's tables, and the seal's key. */
const PULL_STATEMENTS_MAX = 12;
const PUSH_STATEMENTS_MAX = 8;
/** The dearest mutation: a delete that cascades, or an upsert with a unique look-up. */
const STATEMENTS_PER_MUTATION_MAX = 9;
/** A page ends at the first row beyond its bound; JSON escapes and the frame of each row come on top. */
const ANSWER_CHARS_MAX = 2 * limits.pullPageBytesMax;
/** Chunks that an endless body may be asked for: the bound, and what streams read ahead. */
const ENDLESS_CHUNKS_MAX = limits.pushBytesMax / ENDLESS_CHUNK_BYTES + 4;
/** Texts that mutators throw: whose, from which replica. */
const MESSAGES = /MSG\/(\w+)\/([\w-]+)\/\d+\//g;
const STACK = /\n\s+at |\bat [\w.<>]+ \(|\.[cm]?[jt]s:\d+|node:internal|node_modules|SQLITE_|sqlite/;

export class HttpFuzz {
  /** Answers by status and code, results of mutations by status and code. */
  readonly counts = new Map<string, number>();
  readonly #requests: HostileRequests;
  readonly #db = new DatabaseSync(":memory:");
  readonly #server: TestServer;
  readonly #seed: number;
  /** What only grace may see: ids and values of her rows. */
  readonly #secrets: string[] = [];
  /** Texts of errors that another replica has pushed, or one that did not say which it is. */
  readonly #unsure = new Set<string>();
  #statements = 0;
  #steps = 0;

  private constructor(seed: number, isBatchOnly: boolean) {
    this.#seed = seed;
    this.#requests = new HostileRequests(seed);
    const executor = watched(fromNodeSqlite(this.#db), () => void (this.#statements += 1));
    this.#server = startServer(isBatchOnly ? batchOnly(executor) : executor, {
      rateLimit: ({ request }) => (request.headers.has("x-slow") ? { ok: false, retryAfterSeconds: 7 } : { ok: true }),
    });
  }

  /** `batchOnly`: on an engine without interactive transactions. */
  static async start(seed: number, options: { readonly batchOnly?: boolean } = {}): Promise<HttpFuzz> {
    const fuzz = new HttpFuzz(seed, options.batchOnly === true);
    const client = new RawClient(fuzz.#server, { user: "grace", clientID: "first" });
    await client.pull();
    fuzz.#plant();
    // The first page that ends within a table makes the key that seals its place.
    client.cookie = undefined;
    await client.pull(1);
    return fuzz;
  }

  /** Sends one request and judges its answer. Throws what is wrong with it. */
  async step(): Promise<void> {
    await this.#try(this.#requests.next(), { isAlone: true });
  }

  /** Sends so many at once. What each cost and wrote cannot be told apart then; all else is judged. */
  async burst(count: number): Promise<void> {
    const burst = Array.from({ length: count }, () => this.#requests.next());
    await Promise.all(burst.map((hostile) => this.#try(hostile, { isAlone: false })));
  }

  /** After all of it, everyone still gets what they may see, and nothing else. */
  async end(): Promise<void> {
    for (const user of USERS) {
      const client = new RawClient(this.#server, { user, clientID: "late", replicaID: `late-${user}` });
      await client.pull(50);
      const seen = [...client.rows.keys()].filter((key) => !key.startsWith("posts/")).toSorted();
      expectEqual(seen, this.#visible(user), `what ${user} sees at the end`);
    }
    if (Object.keys(Object.prototype).length > 0 || "polluted" in {}) throw new RangeError("a prototype was changed");
    this.#db.close();
  }

  #plant(): void {
    const random = (i: number, what: string) => `SECRET-${what}-${i}-${(i * 7919 + 104_729).toString(36)}`;
    for (let i = 0; i < 20; i++) {
      const [noteID, title, slug, key, tagID, name] = ["id", "title", "slug", "key", "tag", "name"].map((what) =>
        random(i, what),
      ) as [string, string, string, string, string, string];
      const bytes = new TextEncoder().encode(random(i, "bytes"));
      this.#db
        .prepare(
          "INSERT INTO notes (id, title, slug, ownerId, shared, rank, big, bytes, extra) VALUES (?, ?, ?, 'grace', 0, ?, ?, ?, ?)",
        )
        .run(
          noteID,
          title,
          slug,
          77_000_000 + i,
          7_700_000_000_000_000n + BigInt(i),
          bytes,
          JSON.stringify({ [key]: 1 }),
        );
      // Half of them hang on rows that others may delete.
      const parent = i % 2 === 0 ? noteID : `ada${i % 8}`;
      this.#db
        .prepare("INSERT INTO tags (id, name, noteId, ownerId, shared) VALUES (?, ?, ?, 'grace', 0)")
        .run(tagID, name, parent);
      this.#secrets.push(
        `SECRET-`,
        String(77_000_000 + i),
        `770000000000${String(i).padStart(4, "0")}`,
        btoa(random(i, "bytes")).slice(0, 20),
      );
    }
  }

  #visible(user: string): string[] {
    return ["notes", "tags"]
      .flatMap((table) =>
        this.#db
          .prepare(`SELECT id, "ownerId", shared FROM ${table}`)
          .all()
          .filter((row) => maySee({ userId: user }, { ownerId: String(row["ownerId"]), shared: row["shared"] === 1 }))
          .map((row) => `${table}/${String(row["id"])}`),
      )
      .toSorted();
  }

  async #try(hostile: HostileRequest, how: { readonly isAlone: boolean }): Promise<void> {
    this.#steps += 1;
    const step = this.#steps;
    try {
      await this.#judge(hostile, how);
    } catch (cause) {
      const { method, url } = hostile.request;
      const what = `seed ${this.#seed}, request ${step}: ${method} ${url.slice(0, 300)} (${hostile.wrongs.join("; ")})`;
      throw new RangeError(`${what}\n${hostile.body?.slice(0, 2000) ?? ""}\n${String(cause)}`, { cause });
    }
  }

  async #judge(hostile: HostileRequest, { isAlone }: { readonly isAlone: boolean }): Promise<void> {
    const { request, wrongs } = hostile;
    const sender = replicaOf(hostile);
    for (const [message, , replica] of hostile.body?.matchAll(MESSAGES) ?? [])
      if (sender !== replica) this.#unsure.add(message);
    const asking = authOf(request);
    const user = asking.ok ? asking.clientGroupID : null;
    const [writesBefore, statementsBefore, chunksBefore] = [
      this.#written(),
      this.#statements,
      this.#requests.endlessChunks,
    ];
    const response = await this.#server.handle(request);
    const text = await response.text();
    const answer: Judged = {
      hostile,
      user,
      status: response.status,
      headers: response.headers,
      text,
      statements: isAlone ? this.#statements - statementsBefore : 0,
      hasWritten: isAlone && this.#written() !== writesBefore,
    };
    const chunks = this.#requests.endlessChunks - chunksBefore;
    if (isAlone && chunks > ENDLESS_CHUNKS_MAX) throw new RangeError(`an endless body was read for ${chunks} chunks`);
    if (text.length > ANSWER_CHARS_MAX) throw new RangeError(`${text.length} characters`);
    this.#judgeHeaders(answer);
    this.#judgeSecrecy(answer);
    if (response.status === 200) this.#judgeSuccess(answer);
    else this.#judgeRefusal(answer);
    if (wrongs.length === 0 && response.status !== 200 && !isHonestRefusal(answer))
      throw new RangeError(`a valid request was answered ${response.status} ${text}`);
  }

  #judgeHeaders({ headers }: Judged): void {
    expectEqual(headers.get("cache-control"), "no-store", "cache-control");
    expectEqual(headers.get("content-type"), "application/json; charset=utf-8", "content-type");
    expectEqual(headers.get("x-content-type-options"), "nosniff", "x-content-type-options");
  }

  #judgeSecrecy({ user, text, hostile }: Judged): void {
    if (STACK.test(text)) throw new RangeError(`a stack or an engine's words: ${text.slice(0, 500)}`);
    if (user !== "grace") {
      const readable = text + cookieTexts(text);
      const leaked = this.#secrets.find((secret) => readable.includes(secret));
      if (leaked !== undefined) throw new RangeError(`${user} was told ${leaked}: ${text.slice(0, 500)}`);
    }
    const asking = replicaOf(hostile);
    for (const [message, owner = "", replica = ""] of text.matchAll(MESSAGES)) {
      if (hostile.body?.includes(message) === true) continue;
      const isOther = asking !== undefined && asking !== replica && replica !== "none" && !this.#unsure.has(message);
      if (owner !== user || isOther) throw new RangeError(`${user} in ${asking} was told ${message}`);
    }
  }

  #judgeSuccess({ hostile, text, statements, hasWritten }: Judged): void {
    const isPush = new URL(hostile.request.url).pathname === "/sync/push";
    const json: unknown = JSON.parse(text);
    if (isPush) {
      const parsed = parsePushResponse(json);
      this.#judgeResults(parsed, { statements, hasWritten });
      if (hostile.endpoint === "push") this.#requests.learn(hostile, parsed);
      this.#count("200 push");
      return;
    }
    const page = parsePullResponse(json);
    if (hasWritten) throw new RangeError("a pull has written");
    if (statements > PULL_STATEMENTS_MAX) throw new RangeError(`${statements} statements for a pull`);
    for (const { code } of page.rejected ?? []) expectOneOf(code, REJECTION_CODES);
    if (hostile.endpoint === "pull") this.#requests.learn(hostile, page);
    this.#count(page.patch[0]?.op === "clear" ? "200 pull from the start" : "200 pull");
  }

  #judgeResults(
    { results }: PushResponse,
    { statements, hasWritten }: { readonly statements: number; readonly hasWritten: boolean },
  ): void {
    const isNew = ({ status }: { readonly status: string }) => status !== "duplicate";
    const statementsMax = PUSH_STATEMENTS_MAX + results.filter(isNew).length * STATEMENTS_PER_MUTATION_MAX;
    if (statements > statementsMax) throw new RangeError(`${statements} statements for ${results.length} mutations`);
    if (!results.some(isNew) && hasWritten) throw new RangeError("duplicates have written");
    for (const { status, error } of results) {
      if (status === "rejected") expectOneOf(error?.code ?? "none", REJECTION_CODES);
      else if (error !== undefined) throw new RangeError(`${status} with an error`);
      this.#count(`result ${error?.code ?? status}`);
    }
  }

  #judgeRefusal({ hostile, status, headers, text, statements, hasWritten }: Judged): void {
    const codes = ERROR_CODES[status];
    if (codes === undefined) throw new RangeError(`answered ${status} ${text.slice(0, 500)}`);
    if (hasWritten) throw new RangeError("a refused request has written");
    const isHead = hostile.request.method === "HEAD";
    const body = JSON.parse(text) as { [field: string]: unknown };
    const { code, error, clientID, lastMutationID, expected, ...rest } = body;
    expectOneOf(String(code), codes);
    if (typeof error !== "string" || error === "" || Object.keys(rest).length > 0)
      throw new RangeError(`an odd body: ${text.slice(0, 500)}`);
    if ((expected !== undefined) !== (code === "schema/mismatch"))
      throw new RangeError("expected is for schema/mismatch");
    if (code === "push/gap") this.#requests.learnGap(hostile, clientID, lastMutationID);
    if (status === 405 && !isHead) expectOneOf(headers.get("allow") ?? "none", ["GET", "POST"]);
    if (status === 429) expectEqual(headers.get("retry-after"), "7", "retry-after");
    const statementsMax = READ_FIRST.has(String(code)) ? READ_FIRST_STATEMENTS_MAX : 0;
    if (statements > statementsMax) throw new RangeError(`${statements} statements before ${String(code)}`);
    this.#count(`${status} ${String(code)}`);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Rows changed since the connection was opened, rolled back or not. */
  #written(): unknown {
    return this.#db.prepare("SELECT total_changes() AS n").get()?.["n"];
  }
}

interface Judged {
  readonly hostile: HostileRequest;
  /** Whom the server takes it to be from; null: nobody. */
  readonly user: string | null;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly statements: number;
  readonly hasWritten: boolean;
}

/** What stands in the cookies of an answer, which hide nothing by being base64. */
const cookieTexts = (text: string): string =>
  [...text.matchAll(/"c1:([\w-]+)"/g)]
    .map(([, base64 = ""]) => atob(base64.replaceAll("-", "+").replaceAll("_", "/")))
    .join();

/** The replica that a request says it is from, as far as the server can read it. */
function replicaOf({ request, endpoint, body }: HostileRequest): string | undefined {
  if (endpoint === "pull") return new URL(request.url).searchParams.getAll("replicaID").at(-1);
  try {
    const { replicaID } = JSON.parse(body ?? "") as { readonly replicaID?: unknown };
    return typeof replicaID === "string" ? replicaID : undefined;
  } catch {
    return undefined;
  }
}

/** A valid request of one whose clients someone else has taken over, or whose ids moved on. */
const isHonestRefusal = ({ text }: Judged): boolean => /"code":"(auth\/client-mismatch|push\/gap)"/.test(text);

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new RangeError(`${what}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}

function expectOneOf(actual: string, expected: readonly string[]): void {
  if (!expected.includes(actual)) throw new RangeError(`${actual} is none of ${expected.join(", ")}`);
}
