// Owns: requests to the sync server that begin valid and are then broken: in their JSON, cookie, query, headers, bytes, path.
// Structure-aware: one that is broken in one place gets as far as that place matters.

import type { PushMutation, PushResponse } from "../../core/protocol/push.ts";
import { breakJson, Choices, HOSTILE_KEYS, hostileValue, toJsonText } from "./hostile-json.fixture.ts";
import { mutation } from "./sync-server.fixture.ts";

/** A replica of a person, as far as it knows. */
export interface Speaker {
  readonly user: string;
  readonly replicaID: string | undefined;
  readonly lastIDs: Map<string, number>;
  cookie: string | undefined;
}

export interface HostileRequest {
  readonly request: Request;
  readonly speaker: Speaker;
  readonly endpoint: "push" | "pull";
  /** In what it differs from a valid request; empty: in nothing. */
  readonly wrongs: readonly string[];
  /** The body of a push, before anything happened to its bytes. */
  readonly body?: string;
}

export const USERS = ["ada", "grace", "mallory"];
const URL_OF = "http://server/sync/";
const WRONGS_MAX = 2;

/** Bytes that one chunk of an endless body has. */
export const ENDLESS_CHUNK_BYTES = 65_536;

export class HostileRequests {
  readonly speakers: readonly Speaker[];
  /** Chunks that endless bodies were asked for, in all. */
  endlessChunks = 0;
  readonly #choices: Choices;
  readonly #cookies: string[] = [];
  #texts = 0;

  constructor(seed: number) {
    this.#choices = new Choices(seed);
    this.speakers = USERS.flatMap((user) =>
      [`${user}-1`, `${user}-2`, undefined].map((replicaID) => ({
        user,
        replicaID,
        lastIDs: new Map([`${replicaID ?? user}-a`, `${replicaID ?? user}-b`].map((clientID) => [clientID, 0])),
        cookie: undefined,
      })),
    );
  }

  next(): HostileRequest {
    const speaker = this.#choices.pick(this.speakers);
    return this.#choices.once(2) ? this.#push(speaker) : this.#pull(speaker);
  }

  /** Takes over what a good answer said, so that later requests begin valid again. */
  learn(
    { speaker, endpoint }: HostileRequest,
    answer: Pick<PushResponse, "lastMutationIDs"> & { cookie?: string },
  ): void {
    for (const clientID of speaker.lastIDs.keys()) {
      const last = answer.lastMutationIDs[clientID];
      if (last !== undefined) speaker.lastIDs.set(clientID, Math.max(last, speaker.lastIDs.get(clientID) ?? 0));
    }
    if (endpoint !== "pull" || answer.cookie === undefined) return;
    speaker.cookie = answer.cookie;
    // Whoever steals cookies has old ones and others' too.
    if (this.#cookies.length < 200) this.#cookies.push(answer.cookie);
    else this.#cookies[this.#choices.below(200)] = answer.cookie;
  }

  /** A gap told where the client stands, too. */
  learnGap({ speaker }: HostileRequest, clientID: unknown, lastMutationID: unknown): void {
    if (typeof clientID === "string" && typeof lastMutationID === "number" && speaker.lastIDs.has(clientID))
      speaker.lastIDs.set(clientID, lastMutationID);
  }

  #wrongs(kinds: readonly (() => string)[]): string[] {
    if (this.#choices.once(5)) return [];
    return Array.from({ length: 1 + this.#choices.below(WRONGS_MAX) }, () => this.#choices.pick(kinds)());
  }

  // ── push ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #push(speaker: Speaker): HostileRequest {
    const body: { [key: string]: unknown } & { mutations: unknown } = this.#validPush(speaker);
    const headers = new Headers({ "x-user": speaker.user, "content-type": "application/json" });
    const target = { path: "push", method: "POST", query: "" };
    const shape = () => breakJson(this.#choices, body);
    const wrongs = this.#wrongs([
      shape,
      shape,
      shape,
      () => this.#breakIDs(body),
      () => this.#breakOwners(body),
      () => this.#breakVersions(body),
      () => this.#breakSize(body),
      () => this.#breakHeaders(headers),
      () => this.#breakTarget(target),
    ]);
    const text = toJsonText(body);
    const transport = wrongs.length > 0 && this.#choices.once(5) ? this.#breakBytes(text, headers) : null;
    const init = {
      method: target.method,
      headers,
      ...(mayHaveBody(target.method) ? (transport?.init ?? { body: text }) : {}),
    };
    return {
      request: new Request(URL_OF + target.path + target.query, init),
      speaker,
      endpoint: "push",
      wrongs: transport === null ? wrongs : [...wrongs, transport.wrong],
      body: text,
    };
  }

  #validPush({ user, replicaID, lastIDs }: Speaker) {
    const clientIDs = [...lastIDs.keys()];
    const next = new Map(lastIDs);
    const mutations = this.#choices.list(5, () => {
      const clientID = this.#choices.pick(clientIDs);
      const id = (next.get(clientID) ?? 0) + 1;
      next.set(clientID, id);
      return this.#validMutation(id, clientID, { user, replicaID });
    });
    return {
      protocolVersion: 1,
      schemaVersion: "1",
      clientGroupID: user,
      clientID: clientIDs[0] as string,
      ...(replicaID === undefined ? {} : { replicaID }),
      mutations,
    };
  }

  #validMutation(id: number, clientID: string, { user, replicaID }: Pick<Speaker, "user" | "replicaID">): PushMutation {
    const rowID = this.#rowID(user);
    const shared = this.#choices.once(2);
    const note = {
      id: rowID,
      title: this.#choices.once(1000) ? "t".repeat(500_000) : `title ${id}`,
      slug: this.#choices.once(3) ? `slug ${this.#choices.below(9)}` : null,
      shared,
      rank: this.#choices.pick([0, 1, 2 ** 53 - 1]),
      big: { $bigint: this.#choices.pick(["1", "-9223372036854775808", "9223372036854775807"]) },
      bytes: { $bytes: "AAH/" },
      extra: { a: 1 },
    };
    const [name, args] = this.#choices.pick<readonly [string, unknown]>([
      ["addNote", note],
      ["setNote", note],
      ["setNote", { id: rowID, shared }],
      ["delNote", { id: rowID }],
      ["addTag", { id: rowID, name: "tag", noteId: this.#rowID(user), ownerId: user, shared }],
      ["setTag", { id: rowID, name: "tagged" }],
      ["addPost", { body: "post" }],
      ["stamp", { id: rowID }],
      // Who is told this text is what the oracle watches.
      ["throwAfterWrite", { message: `MSG/${user}/${replicaID ?? "none"}/${++this.#texts}/` }],
      ["catchAll", { id: rowID }],
      ["doNothing", null],
      ["noSuch", null],
    ]);
    const seed = this.#choices.once(2) ? { seed: "0123456789abcdef0123456789abcdef" } : {};
    return mutation(id, name, args, { clientID, ...seed });
  }

  /** Few, and mostly one's own: so that they meet. */
  #rowID(user: string): string {
    return `${this.#choices.once(6) ? this.#choices.pick(USERS) : user}${this.#choices.below(8)}`;
  }

  #mutationsOf(body: { mutations: unknown }): { [key: string]: unknown }[] {
    if (!Array.isArray(body.mutations)) return [];
    return body.mutations.filter((item) => typeof item === "object" && item !== null);
  }

  #breakIDs(body: { mutations: unknown }): string {
    const mutations = this.#mutationsOf(body);
    const shift = this.#choices.pick([-2, -1, 1, 2, 1000, -(2 ** 53), 2 ** 53]);
    switch (this.#choices.below(4)) {
      case 0:
        for (const item of mutations) item["id"] = numberOf(item["id"]) + shift;
        return `all ids moved by ${shift}`;
      case 1:
        body.mutations = [...mutations, ...mutations];
        return "every mutation twice";
      case 2:
        body.mutations = mutations.toReversed();
        return "mutations in reverse";
      default:
        for (const item of mutations.slice(-1)) item["id"] = numberOf(item["id"]) + shift;
        return `the last id moved by ${shift}`;
    }
  }

  #breakOwners(body: { [key: string]: unknown; mutations: unknown }): string {
    const other = this.#choices.pick(this.speakers);
    const clientID = this.#choices.pick([...other.lastIDs.keys(), "new", ...HOSTILE_KEYS]);
    switch (this.#choices.below(4)) {
      case 0:
        for (const item of this.#mutationsOf(body)) if (this.#choices.once(2)) item["clientID"] = clientID;
        return `mutations of ${clientID}`;
      case 1:
        body["clientID"] = clientID;
        return `from client ${clientID}`;
      case 2:
        body["replicaID"] = other.replicaID ?? "new";
        return "from another replica";
      default:
        body["clientGroupID"] = this.#choices.pick([...USERS, "nobody"]);
        return "from another group";
    }
  }

  #breakVersions(body: { [key: string]: unknown }): string {
    if (this.#choices.once(2))
      body["protocolVersion"] = this.#choices.pick<unknown>([0, 2, "1", 1.5, -1, null, 2 ** 60]);
    else body["schemaVersion"] = this.#choices.pick<unknown>(["0", "2", "", 1, null, "1 ", "__proto__"]);
    return "of another version";
  }

  #breakSize(body: { mutations: unknown }): string {
    const first = this.#mutationsOf(body)[0] ?? mutation(1, "doNothing");
    if (this.#choices.once(3)) {
      const count = this.#choices.pick([20, 40, 60, 200, 201, 3000]);
      body.mutations = Array.from({ length: count }, (_, i) => ({
        id: numberOf(first.id) + i,
        timestamp: first.timestamp,
        name: "doNothing",
        // Three thousand large ones would be no request but a lack of memory.
        args: i < 20 ? hostileValue(this.#choices) : null,
      }));
      return `${count} mutations`;
    }
    if (!this.#choices.once(8)) {
      body.mutations = this.#mutationsOf(body).map((item) => ({ ...item, args: hostileValue(this.#choices) }));
      return "other args";
    }
    const sizeBytes = this.#choices.pick([512 * 1024, 920_000, 1_048_576]);
    body.mutations = [{ ...first, name: "addNote", args: { id: "large", title: "x".repeat(sizeBytes) } }];
    return `args of ${sizeBytes} bytes`;
  }

  /** What happens to the bytes of a body on their way. */
  #breakBytes(text: string, headers: Headers): { readonly wrong: string; readonly init: object } {
    const bytes = new TextEncoder().encode(text);
    const at = this.#choices.below(bytes.length + 1);
    switch (this.#choices.below(10)) {
      case 0:
        return { wrong: "cut off", init: { body: bytes.slice(0, at) } };
      case 1:
        bytes[at] = this.#choices.pick([0, 0x22, 0x5c, 0x7b, 0xff, 0xc0]);
        return { wrong: "one byte changed", init: { body: bytes } };
      case 2:
        headers.set("content-length", this.#choices.pick(["0", "-1", "1e9", "99999999999", "x", "1, 2"]));
        return { wrong: "another content-length", init: { body: text } };
      case 3:
        return {
          wrong: "UTF-16",
          init: { body: new Uint8Array([...text].flatMap((char) => [char.charCodeAt(0) & 255, 0])) },
        };
      case 4:
        headers.set("content-encoding", this.#choices.pick(["gzip", "br", "identity, gzip", "?"]));
        return { wrong: "called compressed", init: { body: new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]) } };
      case 5:
        return { wrong: "broken off", init: streamed([bytes.slice(0, at)], { fails: true }) };
      case 6:
        return { wrong: "in chunks", init: streamed([bytes.slice(0, at), new Uint8Array(), bytes.slice(at)]) };
      case 7:
        return { wrong: "endless", init: this.#endless() };
      case 8:
        return { wrong: "nothing", init: { body: null } };
      default:
        return { wrong: "padded beyond the bound", init: { body: text + " ".repeat(1_048_577) } };
    }
  }

  #endless(): object {
    const chunk = new Uint8Array(ENDLESS_CHUNK_BYTES).fill(0x20);
    const pull = (controller: ReadableStreamDefaultController) => {
      this.endlessChunks += 1;
      controller.enqueue(chunk);
    };
    return { body: new ReadableStream({ pull }), duplex: "half" };
  }

  // ── pull ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #pull(speaker: Speaker): HostileRequest {
    const params: [string, string][] = Object.entries({
      protocolVersion: "1",
      schemaVersion: "1",
      clientGroupID: speaker.user,
      clientID: [...speaker.lastIDs.keys()][0] as string,
      ...(speaker.replicaID === undefined ? {} : { replicaID: speaker.replicaID }),
      ...(speaker.cookie === undefined || this.#choices.once(10) ? {} : { cookie: speaker.cookie }),
      ...(this.#choices.once(2) ? { limit: String(1 + this.#choices.below(40)) } : {}),
    });
    const headers = new Headers({ "x-user": speaker.user });
    const target = { path: "pull", method: "GET", query: "" };
    const wrongs = this.#wrongs([
      () => this.#breakCookie(params),
      () => this.#breakCookie(params),
      () => this.#breakParams(params),
      () => this.#breakParams(params),
      () => this.#breakHeaders(headers),
      () => this.#breakTarget(target),
    ]);
    const query = `?${new URLSearchParams(params)}${target.query}`;
    const garbled =
      wrongs.length > 0 && this.#choices.once(12)
        ? this.#choices.pick(["&=&&", "&%", "&%ff=%fe", "#x", "&limit=%00"])
        : "";
    return {
      request: new Request(URL_OF + target.path + query + garbled, { method: target.method, headers }),
      speaker,
      endpoint: "pull",
      wrongs,
    };
  }

  #breakParams(params: [string, string][]): string {
    const at = this.#choices.below(params.length);
    const [name] = params[at] as [string, string];
    const value = this.#paramValue(name);
    switch (this.#choices.below(4)) {
      case 0:
        params.splice(at, 1);
        return `without ${name}`;
      case 1:
        params.push([name, value]);
        return `${name} twice`;
      case 2:
        params.push([this.#choices.pick(HOSTILE_KEYS), value]);
        return "with a hostile parameter";
      default:
        params[at] = [name, value];
        return `another ${name}`;
    }
  }

  #paramValue(name: string): string {
    const other = this.#choices.pick(this.speakers);
    const known: { readonly [name: string]: readonly string[] } = {
      limit: ["0", "1", "5000", "5001", "999999999", "9999999999", "-1", "1e3", "1.5", "+1", " 1", "0x10"],
      clientGroupID: USERS,
      clientID: [...other.lastIDs.keys()],
      replicaID: [other.replicaID ?? "new"],
      protocolVersion: ["0", "2", "1.0", "01", ""],
      schemaVersion: ["0", "2", "", "1 "],
    };
    const likely = known[name];
    if (likely !== undefined && this.#choices.once(2)) return this.#choices.pick(likely);
    const value = hostileValue(this.#choices);
    return typeof value === "string" ? value : JSON.stringify(value).slice(0, 8000);
  }

  #breakCookie(params: [string, string][]): string {
    const at = params.findIndex(([name]) => name === "cookie");
    const cookie = this.#forgedCookie();
    if (at < 0) params.push(["cookie", cookie]);
    else params[at] = ["cookie", cookie];
    return "a forged cookie";
  }

  /** Another's or an old one, with a field or a byte of it changed. */
  #forgedCookie(): string {
    const stolen = this.#cookies.length === 0 ? cookieOf({ 0: "1" }) : this.#choices.pick(this.#cookies);
    if (this.#choices.once(4)) return stolen;
    if (this.#choices.once(6)) {
      const at = this.#choices.below(stolen.length);
      return stolen.slice(0, at) + this.#choices.pick(["", "A", "=", "%", "\0", "c1:"]) + stolen.slice(at + 1);
    }
    const fields = fieldsOf(stolen);
    const field = this.#choices.pick(["0", "0", "$tag", "$schema", "$ctx", "$page", "1", "__proto__"]);
    const other = fieldsOf(this.#cookies.length === 0 ? stolen : this.#choices.pick(this.#cookies));
    const value = this.#choices.pick<unknown>([
      other[field],
      other[field],
      hostileValue(this.#choices),
      String(this.#choices.below(500)),
      this.#choices.pick([
        "0",
        "-1",
        "01",
        "1e3",
        "9007199254740993",
        "9223372036854775807",
        "9".repeat(19),
        "9".repeat(20),
      ]),
      this.#choices.pick<unknown>(["log", "tables", { table: "notes", place: "" }, { table: "notes", place: "a.b" }]),
      { table: this.#choices.pick(["notes", "tags", "posts", "_plasma_changes"]), place: placeOf(other) },
    ]);
    return cookieOf({ ...fields, [field]: value });
  }

  // ── either ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #breakHeaders(headers: Headers): string {
    const [name, value] = this.#choices.pick<readonly [string, string | null]>([
      ["x-user", null],
      ["x-user", ""],
      ["x-user", "mallory"],
      ["x-user", "mallory/mallory-1-a"],
      ["x-user", "ada//other-key"],
      ["x-user", "__proto__"],
      ["x-user", "u".repeat(10_000)],
      ["x-slow", "1"],
      ["content-type", "text/plain; charset=utf-16"],
      ["content-type", "?/?;?=?"],
      ["accept-encoding", "gzip"],
      ["origin", "https://evil.example"],
      ["origin", "null"],
      ["transfer-encoding", "chunked, gzip"],
      ["if-none-match", "*"],
      ["range", "bytes=0-"],
      ["x-http-method-override", "DELETE"],
    ]);
    if (value === null) headers.delete(name);
    else headers.set(name, value);
    return `${name}: ${value?.slice(0, 40) ?? "none"}`;
  }

  #breakTarget(target: { path: string; method: string; query: string }): string {
    if (this.#choices.once(2)) {
      target.method = this.#choices.pick(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "PROPFIND"]);
      return target.method;
    }
    target.path = this.#choices.pick([
      "push",
      "pull",
      "",
      "push/",
      "/push",
      "%70ush",
      "./pull",
      "../sync/pull",
      "../push",
      "PUSH",
      "pull%00",
      "pull;x",
      "blob/x",
      "coordinator",
      "p".repeat(5000),
      "__proto__",
    ]);
    return `at ${target.path.slice(0, 40)}`;
  }
}

const mayHaveBody = (method: string): boolean => method !== "GET" && method !== "HEAD";

function streamed(chunks: readonly Uint8Array[], { fails = false } = {}): object {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) if (chunk.length > 0) controller.enqueue(chunk);
      if (fails) controller.error(new TypeError("the connection was lost"));
      else controller.close();
    },
  });
  return { body, duplex: "half" };
}

function fieldsOf(cookie: string): { [field: string]: unknown } {
  const base64 = cookie.slice(3).replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(atob(base64)) as { [field: string]: unknown };
}

function cookieOf(fields: object): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(toJsonText(fields)).subarray(0, 20_000));
  return `c1:${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

const placeOf = (fields: { readonly [field: string]: unknown }): unknown =>
  (fields["$page"] as { readonly place?: unknown } | undefined)?.place ?? "AAAA";

/** An id that was broken already may be anything. */
const numberOf = (id: unknown): number => (typeof id === "number" ? id : 1);
