// Owns: an app whose schema has two versions: real clients of both on IndexedDB (fake-indexeddb), the real handler on SQLite,
// deployed anew by a test as either version. Clients of one device share a database, as tabs do.

import { DatabaseSync } from "node:sqlite";
import { createPlasmaClient, type PlasmaClientOptions, type SyncClientError } from "plasma-sync/client";
import { boolean, defineMutators, defineSchema, eq, id, table, text, type MutatorInput } from "plasma-sync/core";
import { createServerDb, createSyncHandler, fromNodeSqlite, runMigrations } from "plasma-sync/server";

export type Version = "1" | "2";
/** What the server is: of which version, and whether it serves the older one too. */
export type Deployment = "1" | "2" | "2 for 1";

export const notes1 = table("notes", { id: id(), body: text() });
export const notes2 = table("notes", {
  id: id(),
  body: text(),
  color: text().default("grey"),
  pinned: boolean().nullable(),
});
const tags = table("tags", { id: id(), label: text() });
export const schemas = { "1": defineSchema({ notes: notes1 }), "2": defineSchema({ notes: notes2, tags }) } as const;

type Input1<A> = MutatorInput<(typeof schemas)["1"], unknown, A>;
type Input2<A> = MutatorInput<(typeof schemas)["2"], unknown, A>;
const mutators1 = defineMutators<(typeof schemas)["1"], unknown>()({
  add: async ({ db, args, newId }: Input1<{ body: string }>) => {
    await db.insert(notes1).values({ id: newId(), body: args.body });
  },
  shout: async ({ db, args }: Input1<{ body: string }>) => {
    await db.update(notes1).set({ body: args.body.toUpperCase() }).where(eq(notes1.body, args.body));
  },
});
/** No `shout` any more. */
const mutators2 = defineMutators<(typeof schemas)["2"], unknown>()({
  add: async ({ db, args, newId }: Input2<{ body: string; color?: string }>) => {
    await db.insert(notes2).values({ id: newId(), body: args.body, color: args.color ?? "blue" });
    await db.insert(tags).values({ id: newId(), label: args.body });
  },
});

type Hooks = Pick<PlasmaClientOptions<never, never>, "onSchemaMismatch" | "onReset">;
export const POLL_MS = 20;

export class VersionedWorld {
  readonly #executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  #handle: ((request: Request) => Promise<Response>) | null = null;
  #closes: (() => Promise<void>)[] = [];
  isOnline = true;
  /** "1 pull 200": who asked, what, and the answer. */
  readonly requests: string[] = [];
  readonly errors: { readonly version: Version; readonly error: SyncClientError }[] = [];
  /** Bodies of the mutations that were applied, in order. */
  readonly applied: string[] = [];
  readonly db = createServerDb({ schema: schemas["2"], executor: this.#executor });

  async deploy(deployment: Deployment): Promise<void> {
    const common = {
      executor: this.#executor,
      auth: () => ({ ok: true, clientGroupID: "ada", ctx: {} }) as const,
      onMutation: ({ args, status }: { args: unknown; status: string }) =>
        void (status === "applied" && this.applied.push((args as { body: string }).body)),
    };
    if (deployment === "1") {
      this.#handle = createSyncHandler({ ...common, schema: schemas["1"], mutators: mutators1, schemaVersion: "1" });
      return;
    }
    await runMigrations({ schema: schemas["2"], executor: this.#executor });
    const acceptSchemaVersions = deployment === "2 for 1" ? { "1": schemas["1"] } : {};
    this.#handle = createSyncHandler({
      ...common,
      schema: schemas["2"],
      mutators: mutators2,
      schemaVersion: "2",
      acceptSchemaVersions,
    });
  }

  open1(dbName: string, hooks: Hooks = {}) {
    const client = createPlasmaClient({
      ...this.#options(dbName, "1"),
      ...hooks,
      schema: schemas["1"],
      mutators: mutators1,
    });
    this.#closes.push(() => client.close());
    return client;
  }

  open2(dbName: string, hooks: Hooks = {}) {
    const client = createPlasmaClient({
      ...this.#options(dbName, "2"),
      ...hooks,
      schema: schemas["2"],
      mutators: mutators2,
    });
    this.#closes.push(() => client.close());
    return client;
  }

  #options(dbName: string, schemaVersion: Version) {
    return {
      dbName,
      schemaVersion,
      endpoint: "http://plasma.test/sync",
      clientGroupID: "ada",
      getContext: () => null,
      pollIntervalMs: POLL_MS,
      retry: { maxAttempts: 3, initialDelayMs: 5, maxDelayMs: 20 },
      fetcher: async (request: Request) => {
        if (!this.isOnline || this.#handle === null) throw new TypeError("no network");
        const answer = await this.#handle(request);
        this.requests.push(`${schemaVersion} ${request.method === "POST" ? "push" : "pull"} ${answer.status}`);
        return answer;
      },
      onError: (error: SyncClientError) => void this.errors.push({ version: schemaVersion, error }),
    };
  }

  mismatches(version: Version): SyncClientError[] {
    return this.errors.flatMap(({ version: of, error }) =>
      of === version && error.kind === "schema-mismatch" ? [error] : [],
    );
  }

  /** Lets a while pass and says how many requests it brought, beside those that polls explain. */
  async requestsBeyondPolls(polls = 10): Promise<number> {
    const [before, start] = [this.requests.length, performance.now()];
    await new Promise((resolve) => setTimeout(resolve, polls * POLL_MS));
    const elapsedMs = performance.now() - start;
    return this.requests.length - before - 2 * Math.ceil(elapsedMs / POLL_MS);
  }

  async close(): Promise<void> {
    for (const close of this.#closes) await close();
  }
}
