// Owns: the code of migrations.md, as a program: each block there is a region here, in the same order. The compiler checks
// it, and test/docs runs it.

// #region schema
import { defineMutators, defineSchema, id, ref, table, text, timestamp, type MutatorInput } from "plasma-sync/core";

/** As it was. Kept for as long as clients of that version are served. */
export const schemaV1 = defineSchema({
  notes: table("notes", { id: id(), title: text() }),
});

export const notes = table("notes", {
  id: id(),
  title: text(),
  color: text().default("grey"),
  dueAt: timestamp().nullable(),
});
export const labels = table("labels", { id: id(), noteId: ref(() => notes.id), name: text() });
export const schema = defineSchema({ notes, labels });
export const schemaVersion = "2";
// #endregion

// #region mutators
type Input<Args> = MutatorInput<typeof schema, unknown, Args>;

export const mutators = defineMutators<typeof schema, unknown>()({
  // Version 1 gave no color, and its calls may still wait in an outbox.
  addNote: async ({ db, args, newId }: Input<{ title: string; color?: string }>) => {
    await db.insert(notes).values({ id: newId(), title: args.title, color: args.color });
  },
});
// #endregion

// #region migrate
import { createSyncHandler, isMigrationRefused, runMigrations, type SqlExecutor } from "plasma-sync/server";

/** Before a release: what would be done, or why it cannot be. */
export async function review(executor: SqlExecutor): Promise<readonly string[]> {
  try {
    const { statements } = await runMigrations({ schema, executor, dryRun: true });
    return statements;
  } catch (error) {
    if (!isMigrationRefused(error)) throw error;
    throw new Error(`This release needs a hand first:\n${error.data.refusals.join("\n")}`, { cause: error });
  }
}

/** In the release, before the new server starts. */
export async function migrate(executor: SqlExecutor): Promise<void> {
  await runMigrations({ schema, executor });
}
// #endregion

// #region server
export const createServer = (executor: SqlExecutor) =>
  createSyncHandler({
    schema,
    mutators,
    executor,
    schemaVersion,
    acceptSchemaVersions: { "1": schemaV1 },
    auth: () => ({ ok: true, clientGroupID: "everybody", ctx: null }),
  });
// #endregion

// #region client
import { createPlasmaClient, type ClientStatus, type PlasmaClientOptions } from "plasma-sync/client";

/** Show "There is a new version. Reload." while this is true. Use it in a listener of `client.status`. */
export const isOutdated = ({ lastError }: ClientStatus): boolean => lastError?.kind === "schema-mismatch";

export const openClient = (options: Pick<PlasmaClientOptions<never, never>, "fetcher" | "storage">) =>
  createPlasmaClient({
    ...options,
    schema,
    mutators,
    schemaVersion,
    dbName: "notes",
    endpoint: "https://example.org/sync",
    clientGroupID: "everybody",
    getContext: () => null,
    onSchemaMismatch: () => "stay",
  });
// #endregion

// #region backfill
/** Rows of before the migration have the default. To give them another value, write it: clients receive it as any change. */
export async function colorOldNotes(executor: SqlExecutor): Promise<void> {
  await executor.run({ text: `UPDATE notes SET color = 'yellow' WHERE "dueAt" IS NULL`, params: [] });
}
// #endregion
