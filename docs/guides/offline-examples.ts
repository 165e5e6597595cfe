// The code of docs/guides/offline.md, region by region. The tests compile and run it.

// #region schema
import { defineMutators, defineSchema, eq, id, ref, table, text, type MutatorInput } from "plasma-sync/core";

export const notes = table("notes", { id: id(), body: text() });

/** What is being typed. It stays on the device: no server ever sees it. */
export const drafts = table(
  "drafts",
  { id: id(), noteId: ref(() => notes.id, { onDelete: "cascade" }), body: text() },
  { changeLogSuppressed: true },
);

export const schema = defineSchema({ notes, drafts });
// #endregion

type Input<Args> = MutatorInput<typeof schema, null, Args>;

// #region mutators
export const mutators = defineMutators<typeof schema, null>()({
  addNote: async ({ db, args }: Input<{ id: string }>) => {
    await db.insert(notes).values({ id: args.id, body: "" });
  },

  // Writes a local-only table and nothing else: it is not sent, and adds nothing to the outbox.
  keepDraft: async ({ db, args }: Input<{ noteId: string; body: string }>) => {
    await db
      .insert(drafts)
      .values({ id: args.noteId, ...args })
      .onConflictDoUpdate({ set: { body: args.body } });
  },

  // The text comes as an argument. Reading it from the draft would find nothing on the server.
  saveNote: async ({ db, args }: Input<{ noteId: string; body: string }>) => {
    await db.update(notes).set({ body: args.body }).where(eq(notes.id, args.noteId));
    await db.delete(drafts).where(eq(drafts.id, args.noteId));
  },
});
// #endregion

// #region client
import { createPlasmaClient } from "plasma-sync/client";

export const openClient = (hasServer: boolean) =>
  createPlasmaClient({
    schema,
    mutators,
    dbName: "notes",
    endpoint: "https://example.org/sync",
    schemaVersion: "1",
    clientGroupID: "me",
    getContext: () => null,
    offline: !hasServer,
  });
type Client = ReturnType<typeof openClient>;
// #endregion

// #region switch
/** The same local database, with a server from now on: what waited in the outbox goes out, in its order. */
export async function switchSyncOn(client: Client): Promise<Client> {
  await client.close();
  return openClient(true);
}
// #endregion
