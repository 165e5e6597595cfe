// Owns: the fuzz of blobs: people send, fetch, refer to, share and drop files, most requests broken in a place or two, while
// blobs are collected; every answer is held to a model of who has sent what and who can read which row.
// Judged: bytes go to readers of a row that has them and to nobody else; a ref is taken exactly from those who may use it; a
// refused upload leaves nothing; only documented statuses; headers that keep files inert; at the end nothing is left over.

import { eq } from "../../core/query/expressions.ts";
import type { FileRef } from "../../core/schema/value.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { Choices } from "../sync/hostile-json.fixture.ts";
import type { RawClient } from "../sync/sync-server.fixture.ts";
import { BlobServer, docs, mutation, pages, refOf, tagged } from "./blob-server.fixture.ts";
import { bytesOf, hashOfBytes, streamOfBytes } from "./blob-store.suite.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { memoryBlobs } from "./memory-blobs.ts";

const USERS = ["ada", "grace", "mallory"];
const DAY = 86_400_000;
/** The first ones are small, so that parts of them are hit. */
const CONTENTS = [0, 1, 7, 100, 3000, 70_000].map((size, i) => bytesOf(size, i * 31 + 1));
const HASHES = CONTENTS.map(hashOfBytes);
const STATUSES = new Set([200, 204, 206, 304, 400, 401, 404, 405, 408, 411, 413, 415, 416]);
const TYPES = new Set(["image/png", "application/octet-stream", "application/json; charset=utf-8"]);

const hostileHashes = [
  "",
  "..",
  "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "0".repeat(64),
  "A".repeat(64),
  `${"a".repeat(64)}/..`,
  `${"a".repeat(64)}%00`,
  `${"a".repeat(64)}.0000000000000000`,
  "a".repeat(5000),
  "__proto__",
  "%ff",
  "'; DROP TABLE _plasma_blobs; --",
];
const ranges = [
  "bytes=0-",
  "bytes=0-0",
  "bytes=1-2",
  "bytes=-1",
  "bytes=-99999999",
  "bytes=5-1",
  "bytes=99999999-",
  "bytes=-0",
];
const oddRanges = [
  "bytes=",
  "bytes=--1",
  "bytes=0-1,3-4",
  "rows=0-1",
  "bytes=0x1-2",
  `bytes=${"9".repeat(300)}-`,
  "bytes=1e3-",
];
const lengths = ["", "-1", "1e9", "NaN", "99999999999999999999", "0x10", "600000000", "5, 5"];
const mimes = ["image/png", "IMAGE/PNG; charset=x", "text/html", "application/x-evil", "", "a".repeat(2000), "image/*"];

export class BlobFuzz {
  readonly counts = new Map<string, number>();
  readonly #choices: Choices;
  readonly #server: BlobServer;
  readonly #clients: ReadonlyMap<string, RawClient>;
  readonly #lastIDs = new Map<string, number>();
  /** Hash → who has sent it since it was collected last. */
  readonly #senders = new Map<string, Set<string>>();
  #steps = 0;
  #rows = 0;

  constructor(seed: number, executor: SqlExecutor) {
    this.#choices = new Choices(seed);
    this.#server = new BlobServer(executor, memoryBlobs());
    this.#server.clock.now = Date.now();
    this.#clients = new Map(USERS.map((user) => [user, this.#server.client(user)]));
  }

  async step(): Promise<void> {
    this.#steps += 1;
    const kind = this.#choices.below(100);
    const run = () => {
      if (kind < 30) return this.#upload();
      if (kind < 65) return this.#fetch();
      if (kind < 88) return this.#push();
      return kind < 97 ? this.#changeRows() : this.#collect();
    };
    try {
      await run();
    } catch (cause) {
      throw new RangeError(`step ${this.#steps}: ${String(cause)}`, { cause });
    }
  }

  /** Without rows, nothing is left after a collection. */
  async end(): Promise<void> {
    const db = await this.#server.db();
    for (const table of [pages, docs]) await db.delete(table).all();
    this.#server.clock.now = Math.max(this.#server.clock.now, Date.now()) + 2 * DAY;
    await this.#collectNow();
    for (const internal of ["_plasma_blobs", "_plasma_blob_uploads", "_plasma_blob_refs", "_plasma_blob_loose"])
      expectThat((await this.#server.rowsOf(internal)).length === 0, `${internal} is not empty at the end`);
    expectThat((await this.#server.keys()).length === 0, "bytes are left at the end");
  }

  // ── uploads ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #upload(): Promise<void> {
    const { pick, once, below } = this.#tools;
    const at = below(CONTENTS.length);
    const bytes = CONTENTS[at]!;
    const user = once(12) ? "" : pick(USERS);
    const wrong = once(2)
      ? "nothing"
      : pick(["hash", "other hash", "short", "long", "cut", "length", "mime", "gzip", "swapped"]);
    const before = await this.#stored();
    const response = await this.#server.put(user, bytes, this.#broken(wrong, bytes));
    const isMime = wrong === "mime" && response.status === 204;
    this.#count(`put ${wrong} ${response.status}`);
    await this.#judge(response);
    if (response.status !== 204) {
      expectThat(wrong !== "nothing" || user === "", `a good upload was answered ${response.status}`);
      expectThat((await this.#stored()) === before, "a refused upload left something");
      return;
    }
    expectThat(
      user !== "" && (wrong === "nothing" || isMime || bytes.length === 0 || wrong === "swapped"),
      `${wrong} was taken`,
    );
    if (wrong === "swapped") expectThat(bytes.length <= 1, "other bytes were taken");
    this.#sendersOf(HASHES[at]!).add(user);
  }

  #broken(wrong: string, bytes: Uint8Array<ArrayBuffer>): NonNullable<Parameters<BlobServer["put"]>[2]> {
    const { pick } = this.#tools;
    const cut = bytes.slice(0, bytes.length >> 1);
    const fail = (controller: ReadableStreamDefaultController<Uint8Array>) => controller.error(new RangeError("cut"));
    switch (wrong) {
      case "hash":
        return { hash: pick(hostileHashes) };
      case "other hash":
        return { hash: hashOfBytes(bytesOf(9, 1000)) };
      case "short":
        return { body: streamOfBytes(cut), headers: { "content-length": String(bytes.length + 1) } };
      case "long":
        return { body: streamOfBytes(bytesOf(bytes.length + 1)) };
      case "cut":
        return { body: streamOfBytes(cut, fail) };
      case "length":
        return { headers: { "content-length": pick(lengths) } };
      case "mime":
        return { mime: pick(mimes) };
      case "gzip":
        return { headers: { "content-encoding": "gzip" } };
      case "swapped":
        return { body: Uint8Array.from(bytes, (byte) => byte ^ 1) };
      default:
        return {};
    }
  }

  // ── downloads ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async #fetch(): Promise<void> {
    const { pick, once, below } = this.#tools;
    const at = below(CONTENTS.length);
    const user = once(15) ? "" : pick(USERS);
    const hash = once(8) ? pick(hostileHashes) : HASHES[at]!;
    const headers: { [name: string]: string } = {};
    if (once(2)) headers["range"] = pick(once(3) ? oddRanges : ranges);
    if (once(6)) headers["if-none-match"] = pick([`"${HASHES[at]}"`, "*", `W/"${HASHES[at]}"`, `"x"`, "x".repeat(500)]);
    if (once(6)) headers["if-range"] = pick([`"${HASHES[at]}"`, `"x"`]);
    const method = once(10) ? pick(["POST", "DELETE", "OPTIONS", "PATCH"]) : pick(["GET", "GET", "HEAD"]);
    const maySee = user !== "" && (await this.#isLive(hash)) && (await this.#seesRow(user, hash));
    const response = await this.#server.fetch(user, hash, headers, method);
    const body = new Uint8Array(await response.clone().arrayBuffer());
    this.#count(`${method} ${response.status}`);
    await this.#judge(response);
    if (![200, 206, 304, 416].includes(response.status)) {
      const isAsked = method === "GET" || method === "HEAD";
      return expectThat(!(maySee && isAsked), `a reader was answered ${response.status}`);
    }
    expectThat(maySee, `a stranger was answered ${response.status}`);
    const content = CONTENTS[at]!;
    const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(response.headers.get("content-range") ?? "") ?? [];
    const expected = first === undefined ? content : content.slice(Number(first), Number(last) + 1);
    const isWhole = response.status === 200 || response.status === 206;
    if (method === "GET" && isWhole) expectThat(hashOfBytes(body) === hashOfBytes(expected), "other bytes");
    else expectThat(method === "GET" || body.length === 0, "an answer without bytes has some");
  }

  // ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #push(): Promise<void> {
    const { pick, once, below } = this.#tools;
    const user = pick(USERS);
    const at = below(CONTENTS.length);
    const wrongSize = once(8);
    const file: FileRef = refOf(CONTENTS[at]!, {
      ...(wrongSize && { size: CONTENTS[at]!.length + 1 }),
      ...(once(4) && { mime: "text/html", name: `<img src=x>".html` }),
    });
    const isUsable =
      (await this.#isLive(file.hash)) &&
      (this.#sendersOf(file.hash).has(user) || (await this.#seesRow(user, file.hash)));
    this.#rows += 1;
    const [name, args] = pick([
      ["addDoc", { id: `d${this.#rows}`, shared: once(3), cover: tagged(file) }],
      ["addDoc", { id: `d${this.#rows}`, shared: once(3), scan: tagged(file) }],
      ["addPage", { id: `p${this.#rows}`, docId: `d${below(this.#rows + 1)}`, image: tagged(file) }],
    ] as const);
    const id = (this.#lastIDs.get(user) ?? 0) + 1;
    this.#lastIDs.set(user, id);
    const { json, text, status } = await this.#clients.get(user)!.push(mutation(id, name, args));
    const result = json.results?.[0];
    expectThat(status === 200 && result !== undefined, `a push was answered ${status} ${text}`);
    const outcome = result!.error?.code ?? result!.status;
    this.#count(`push ${outcome}`);
    expectThat(
      outcome === (isUsable && !wrongSize ? "applied" : "blob/refused"),
      `a ref that ${isUsable ? "may" : "may not"} be used: ${outcome}`,
    );
  }

  async #changeRows(): Promise<void> {
    const { pick, once } = this.#tools;
    const db = await this.#server.db();
    const rows = await db.select().from(docs);
    if (rows.length === 0) return;
    const row = pick(rows);
    if (once(3)) await db.delete(docs).where(eq(docs.id, row.id));
    else await db.update(docs).set({ shared: !row.shared }).where(eq(docs.id, row.id));
    if (once(4)) await db.delete(pages).where(eq(pages.docId, row.id));
  }

  async #collect(): Promise<void> {
    // Some blobs are old enough, some are not.
    this.#server.clock.now += this.#tools.pick([0, DAY / 2, 2 * DAY]);
    await this.#collectNow();
  }

  async #collectNow(): Promise<void> {
    await this.#tables();
    const { executor, store, clock } = this.#server;
    const { deleted } = await collectBlobs({
      executor,
      blobs: store,
      graceMs: DAY,
      env: { ...systemEnv, now: () => clock.now },
    });
    this.#count(deleted > 0 ? "collected" : "nothing to collect");
    for (const hash of HASHES) if (!(await this.#isLive(hash))) this.#senders.delete(hash);
    const refs = (await this.#server.rowsOf("_plasma_blob_refs")) as readonly { readonly hash: string }[];
    for (const { hash } of refs) expectThat(await this.#isLive(hash), "a file that a row has was collected");
  }

  // ── the model ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async #isLive(hash: string): Promise<boolean> {
    const text = `SELECT 1 AS found FROM _plasma_blobs WHERE hash = ${this.#server.executor.dialect === "sqlite" ? "?1" : "$1"}`;
    return (await this.#tables().then(() => this.#server.executor.all({ text, params: [hash] }))).length > 0;
  }

  async #seesRow(user: string, hash: string): Promise<boolean> {
    const db = await this.#server.db();
    const ofDocs = await db.select().from(docs);
    const seen = new Map(ofDocs.map((row) => [row.id, row.shared || row.ownerId === user]));
    const ofPages = await db.select().from(pages);
    return (
      ofDocs.some((row) => seen.get(row.id) === true && (row.cover?.hash === hash || row.scan?.hash === hash)) ||
      ofPages.some((row) => seen.get(row.docId) === true && row.image?.hash === hash)
    );
  }

  async #stored(): Promise<string> {
    await this.#tables();
    const of = ["_plasma_blobs", "_plasma_blob_uploads", "_plasma_blob_loose"];
    return JSON.stringify([
      ...(await Promise.all(of.map((table) => this.#server.rowsOf(table)))),
      await this.#server.keys(),
    ]);
  }

  #tables(): Promise<unknown> {
    return this.#server.db();
  }

  #sendersOf(hash: string): Set<string> {
    let senders = this.#senders.get(hash);
    if (senders === undefined) this.#senders.set(hash, (senders = new Set()));
    return senders;
  }

  async #judge(response: Response): Promise<void> {
    const { status, headers } = response;
    expectThat(STATUSES.has(status), `answered ${status}`);
    if (status === 204)
      return expectThat(headers.get("cache-control") === "no-store", "an upload's answer may be stored");
    expectThat(headers.get("x-content-type-options") === "nosniff", "no nosniff");
    expectThat(TYPES.has(headers.get("content-type") ?? ""), `of type ${headers.get("content-type")}`);
    if (status < 400) {
      expectThat(headers.get("content-security-policy") === "sandbox; default-src 'none'", "no policy");
      expectThat((headers.get("cache-control") ?? "").startsWith("private"), "not private");
      return;
    }
    expectThat(headers.get("cache-control") === "no-store", "a refusal may be stored");
    const text = await response.clone().text();
    expectThat(!/\n\s+at |\.ts:\d|SQLITE|node:/.test(text), `a stack: ${text}`);
  }

  get #tools() {
    const choices = this.#choices;
    return {
      pick: <T>(items: readonly T[]): T => choices.pick(items),
      once: (times: number) => choices.once(times),
      below: (count: number) => choices.below(count),
    };
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

function expectThat(isSo: boolean, what: string): void {
  if (!isSo) throw new RangeError(what);
}
