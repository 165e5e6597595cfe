// Owns: what tests of blobs on the server share: a schema with files under each kind of rule, a handler over a database and a
// store, and people who send and fetch.

import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import type { Expr } from "../../core/query/ast.ts";
import { and, eq, exists, or } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { boolean, id, ref, text } from "../../core/schema/column.ts";
import { file } from "../../core/schema/file-column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { FileRef } from "../../core/schema/value.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { createSyncHandler, type SyncHandler } from "../handler.ts";
import type { SyncHandlerOptions } from "../handler-options.ts";
import { createServerDb } from "../server-db.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { authOf, mutation, NOW, RawClient, type Ctx } from "../sync/sync-server.fixture.ts";
import type { PlasmaMetric, SyncServerError } from "../sync/sync-server-error.ts";
import { hashOfBytes } from "./blob-store.suite.ts";
import type { BlobStore } from "./blob-store.ts";

export const docs = table(
  "docs",
  {
    id: id(),
    ownerId: text(),
    shared: boolean().default(false),
    cover: file({ maxSize: 300_000, inlineThreshold: 100 }).nullable(),
    scan: file({ immutable: false, mimeAllowList: ["image/*", "text/html"] }).nullable(),
  },
  { auth: { read: (ctx: Ctx, row) => row.shared || row.ownerId === ctx.userId } },
);
/** Seen by those who own the doc, or when it is shared; a rule for the database. */
export const pages = table(
  "pages",
  { id: id(), docId: ref(() => docs.id), image: file().nullable() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select()
            .from(docs)
            .where(and(eq(docs.id, pages.docId), or(eq(docs.ownerId, ctx.userId), eq(docs.shared, true)))),
        ),
    },
  },
);
export const schema = defineSchema({ docs, pages });

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
export interface DocArgs {
  readonly id: string;
  readonly shared?: boolean;
  readonly cover?: FileRef | null;
  readonly scan?: FileRef | null;
}
export const mutators = defineMutators<typeof schema, Ctx>()({
  addDoc: async ({ db, args, ctx }: Input<DocArgs>) => {
    await db.insert(docs).values({ ownerId: ctx.userId, ...args });
  },
  setDoc: async ({ db, args: { id: docID, ...patch } }: Input<DocArgs>) => {
    await db.update(docs).set(patch).where(eq(docs.id, docID));
  },
  delDoc: async ({ db, args }: Input<{ id: string }>) => {
    await db.delete(docs).where(eq(docs.id, args.id));
  },
  addPage: async ({ db, args }: Input<{ id: string; docId: string; image: FileRef | null }>) => {
    await db.insert(pages).values(args);
  },
  /** Copies a file from one doc to a new one, whoever may read it: server code is trusted, what it writes is not. */
  copyDoc: async ({ db, args, ctx }: Input<{ from: string; id: string }>) => {
    const [from] = await db.select().from(docs).where(eq(docs.id, args.from));
    await db.insert(docs).values({ id: args.id, ownerId: ctx.userId, cover: from?.cover ?? null });
  },
});

export class BlobServer {
  readonly executor: SqlExecutor;
  readonly store: BlobStore;
  readonly handle: SyncHandler;
  readonly clock = { now: NOW };
  readonly errors: SyncServerError[] = [];
  readonly metrics: PlasmaMetric[] = [];

  constructor(executor: SqlExecutor, store: BlobStore, options: Partial<SyncHandlerOptions<Ctx>> = {}) {
    this.executor = executor;
    this.store = store;
    this.handle = createSyncHandler<Ctx>({
      schema,
      mutators,
      executor,
      schemaVersion: "1",
      auth: authOf,
      env: { ...systemEnv, now: () => this.clock.now },
      blobs: { default: store },
      onError: (error) => void this.errors.push(error),
      onMetric: (metric) => void this.metrics.push(metric),
      ...options,
    });
  }

  /** Past all rules. */
  async db() {
    await ensureSchema({ schema, executor: this.executor });
    return createServerDb({ schema, executor: this.executor });
  }

  client(user: string): RawClient {
    return new RawClient(this, { user, clientID: `${user}-1`, replicaID: `${user}-r` });
  }

  async put(user: string, bytes: Uint8Array<ArrayBuffer>, more: PutOptions = {}): Promise<Response> {
    const { hash = hashOfBytes(bytes), mime = "image/png", headers = {}, body = bytes } = more;
    const length = String(bytes.length);
    return this.handle(
      new Request(`http://server/sync/blob/${hash}`, {
        method: "PUT",
        body: body as BodyInit,
        headers: { "x-user": user, "content-type": mime, "content-length": length, ...headers },
        ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
      }),
    );
  }

  fetch(user: string, hash: string, headers: { readonly [name: string]: string } = {}, method = "GET") {
    return this.handle(
      new Request(`http://server/sync/blob/${hash}`, { method, headers: { "x-user": user, ...headers } }),
    );
  }

  /** The status with which the user is answered, and no more. */
  async statusOf(user: string, hash: string, method?: string): Promise<number> {
    const response = await this.fetch(user, hash, {}, method);
    await response.body?.cancel();
    return response.status;
  }

  async keys(): Promise<readonly string[]> {
    return (await this.store.list()).keys;
  }

  async rowsOf(internalTable: string): Promise<readonly object[]> {
    return this.executor.all({ text: `SELECT * FROM ${internalTable}`, params: [] });
  }
}

interface PutOptions {
  readonly hash?: string;
  readonly mime?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: ReadableStream<Uint8Array> | Uint8Array;
}

export const refOf = (bytes: Uint8Array, more: Partial<FileRef> = {}): FileRef => ({
  hash: hashOfBytes(bytes),
  size: bytes.length,
  mime: "image/png",
  ...more,
});

export const tagged = (file_: FileRef | null) => (file_ === null ? null : { $file: file_ });
export { mutation };
