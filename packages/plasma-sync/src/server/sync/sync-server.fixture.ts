// Owns: what tests of the sync server share: a schema with rules, mutators, a handler over a database, and a client that
// speaks the protocol by hand.

import { createSyncHandler, type SyncHandler } from "../handler.ts";
import type { AuthResult, SyncHandlerOptions } from "../handler-options.ts";
import { dumpDatabase } from "../database/database-dump.fixture.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import type { PatchOp, PullResponse, WireRow } from "../../core/protocol/pull.ts";
import type { PushMutation, PushResponse } from "../../core/protocol/push.ts";
import { eq } from "../../core/query/expressions.ts";
import { bigint, blob, boolean, id, int, json, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";

export interface Ctx {
  readonly userId: string;
}

interface Owned {
  readonly ownerId: string;
  readonly shared: boolean;
}
export const maySee = (ctx: Ctx, row: Owned): boolean => row.shared || row.ownerId === ctx.userId;

export const notes = table(
  "notes",
  {
    id: id(),
    title: text(),
    slug: text().nullable().unique(),
    ownerId: text(),
    shared: boolean().default(false),
    rank: int().default(0),
    big: bigint().nullable(),
    bytes: blob().nullable(),
    extra: json<{ readonly [key: string]: number }>().nullable(),
  },
  { auth: { read: maySee, write: (ctx: Ctx, row) => row.ownerId === ctx.userId } },
);
export const tags = table(
  "tags",
  {
    id: id(),
    name: text(),
    noteId: ref(() => notes.id, { onDelete: "cascade" }),
    ownerId: text(),
    shared: boolean().default(false),
  },
  { auth: { read: maySee } },
);
export const posts = table("posts", { id: id(), body: text() });
export const schema = defineSchema({ notes, tags, posts });

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
interface NoteArgs {
  readonly id: string;
  readonly title?: string;
  readonly slug?: string | null;
  readonly shared?: boolean;
  readonly rank?: number;
  readonly big?: bigint | null;
  readonly bytes?: Uint8Array | null;
  readonly extra?: { readonly [key: string]: number } | null;
  readonly ownerId?: string;
}

/** An args schema by hand: `{ body: string }`. */
const bodyArgs = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => {
      const { body } = (value ?? {}) as { readonly body?: unknown };
      return typeof body === "string"
        ? { value: { body: body.trim() } }
        : { issues: [{ message: "not a text", path: ["body"] }] };
    },
    types: {} as { readonly input: { body: string }; readonly output: { body: string } },
  },
} as const;

export const mutators = defineMutators<typeof schema, Ctx>()({
  addNote: async ({ db, args, ctx }: Input<NoteArgs>) => {
    await db.insert(notes).values({ title: "", ownerId: ctx.userId, ...args });
  },
  setNote: async ({ db, args: { id: noteID, ...patch } }: Input<NoteArgs>) => {
    await db.update(notes).set(patch).where(eq(notes.id, noteID));
  },
  delNote: async ({ db, args }: Input<{ id: string }>) => {
    await db.delete(notes).where(eq(notes.id, args.id));
  },
  addTag: async ({
    db,
    args,
  }: Input<{ id: string; name: string; noteId: string; ownerId: string; shared?: boolean }>) => {
    await db.insert(tags).values(args);
  },
  setTag: async ({ db, args: { id: tagID, ...patch } }: Input<{ id: string; name?: string; shared?: boolean }>) => {
    await db.update(tags).set(patch).where(eq(tags.id, tagID));
  },
  addPost: {
    args: bodyArgs,
    run: async ({ db, args, newId }) => db.insert(posts).values({ id: newId(), body: args.body }),
  },
  stamp: async ({ db, args, now, newId, clientID, mutationID, side }: Input<{ id: string }>) => {
    await db
      .insert(posts)
      .values({ id: args.id, body: JSON.stringify({ now, newId: newId(), clientID, mutationID, side }) });
  },
  throwAfterWrite: async ({ db, args }: Input<{ message: string }>) => {
    await db.insert(posts).values({ id: "half", body: "half" });
    throw new Error(args.message);
  },
  /** Swallows whatever the database says. */
  catchAll: async ({ db, args }: Input<{ id: string }>) => {
    try {
      await db.insert(posts).values({ id: args.id, body: "caught" });
    } catch {
      return;
    }
  },
  doNothing: () => undefined,
});

export const NOW = 1_790_000_000_000;

export interface TestServer {
  readonly handle: SyncHandler;
  readonly executor: SqlExecutor;
  readonly clock: { now: number };
  /** Every row of every table, Plasma's own included. */
  dump(): Promise<{ readonly [table: string]: readonly object[] }>;
}

/** The header `x-user`, or a bearer token, says who is asking: `user`, `user/clientID`, `user//ctxKey`. */
export function authOf({ headers }: Request): AuthResult<Ctx> {
  const user = headers.get("x-user") ?? headers.get("authorization")?.replace(/^Bearer ?/, "") ?? "";
  const [userId, clientID, ctxKey] = user.split("/");
  if (userId === undefined || userId === "") return { ok: false, reason: "Sign in." };
  return {
    ok: true,
    clientGroupID: userId,
    ctx: { userId },
    ...(clientID ? { clientID } : {}),
    ...(ctxKey ? { ctxKey } : {}),
  };
}

export function startServer(executor: SqlExecutor, options: Partial<SyncHandlerOptions<Ctx>> = {}): TestServer {
  const clock = { now: NOW };
  const handle = createSyncHandler<Ctx>({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    auth: authOf,
    env: { ...systemEnv, now: () => clock.now },
    ...options,
  });
  return { handle, executor, clock, dump: () => dumpDatabase(executor) };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
  readonly json: any;
}

type Typed<T> = Omit<Answer, "json"> & { readonly json: T };

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text === "" ? null : JSON.parse(text) };
}

export interface Identity {
  readonly user: string;
  readonly clientID: string;
  readonly replicaID?: string;
  /** Instead of `user` in the header. */
  readonly header?: string;
}

export const mutation = (
  mutationID: number,
  name: string,
  args: unknown = null,
  more: Partial<PushMutation> = {},
): PushMutation => ({
  id: mutationID,
  name,
  args,
  timestamp: NOW,
  ...more,
});

export function pushRequest(identity: Identity, mutations: readonly unknown[], more: object = {}): Request {
  const { user, clientID, replicaID } = identity;
  const body = { protocolVersion: 1, schemaVersion: "1", clientGroupID: user, clientID, replicaID, mutations, ...more };
  return rawPush(identity, JSON.stringify(body));
}

export const rawPush = ({ user, header }: Identity, body: string | Uint8Array<ArrayBuffer>): Request =>
  new Request("http://server/sync/push", {
    method: "POST",
    body,
    headers: { "x-user": header ?? user, "content-type": "application/json" },
  });

export function pullRequest(
  { user, clientID, replicaID, header }: Identity,
  more: { readonly [key: string]: string | undefined } = {},
): Request {
  const params = { protocolVersion: "1", schemaVersion: "1", clientGroupID: user, clientID, replicaID, ...more };
  const query = new URLSearchParams(
    Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return new Request(`http://server/sync/pull?${query}`, { headers: { "x-user": header ?? user } });
}

/** A client that keeps what it pulled. */
export class RawClient {
  readonly identity: Identity;
  readonly rows = new Map<string, WireRow>();
  readonly lastMutationIDs: { [clientID: string]: number } = {};
  readonly rejected: string[] = [];
  readonly bytes: string[] = [];
  cookie: string | undefined;
  readonly #server: Pick<TestServer, "handle">;
  #unmentioned: Set<string> | null = null;

  constructor(server: Pick<TestServer, "handle">, identity: Identity) {
    this.#server = server;
    this.identity = identity;
  }

  async push(...mutations: readonly PushMutation[]): Promise<Typed<PushResponse>> {
    return this.#send(pushRequest(this.identity, mutations));
  }

  async pullPage(limit?: number): Promise<Typed<PullResponse>> {
    const answer = await this.#send(
      pullRequest(this.identity, { cookie: this.cookie, limit: limit === undefined ? undefined : String(limit) }),
    );
    if (answer.status === 200) this.apply(answer.json as PullResponse);
    return answer;
  }

  /** Pulls until there is no more; returns the ops of all pages. */
  async pull(limit?: number): Promise<PatchOp[]> {
    const ops: PatchOp[] = [];
    for (;;) {
      const { status, json: page } = await this.pullPage(limit);
      if (status !== 200) throw Object.assign(new RangeError(`pull: ${status}`), { page });
      ops.push(...page.patch);
      if (page.hasMore !== true) return ops;
    }
  }

  async #send(request: Request): Promise<Answer> {
    const answer = await answerOf(await this.#server.handle(request));
    this.bytes.push(answer.text);
    return answer;
  }

  /** Takes a page, or a poke's patch. */
  apply({ cookie, patch, lastMutationIDs, rejected = [], hasMore }: PullResponse): void {
    for (const op of patch) {
      if (op.op === "clear") {
        this.#unmentioned = new Set(this.rows.keys());
        continue;
      }
      const key = `${op.table}/${op.id}`;
      if (op.op === "put") this.rows.set(key, op.value);
      else this.rows.delete(key);
      this.#unmentioned?.delete(key);
    }
    if (hasMore !== true) {
      for (const key of this.#unmentioned ?? []) this.rows.delete(key);
      this.#unmentioned = null;
    }
    this.cookie = cookie;
    Object.assign(this.lastMutationIDs, lastMutationIDs);
    this.rejected.push(...rejected.map(({ clientID, id: mutationID, code }) => `${clientID}#${mutationID} ${code}`));
  }
}
