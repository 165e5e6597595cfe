// The code of docs/guides/storage.md, region by region. The tests compile and run it.

// #region client
import { createPlasmaClient, type SyncClientError } from "plasma-sync/client";
import { defineMutators, defineSchema, id, table, text, type MutatorInput } from "plasma-sync/core";

export const notes = table("notes", { id: id(), body: text() });
export const schema = defineSchema({ notes });

export const mutators = defineMutators<typeof schema, null>()({
  addNote: async ({ db, args, newId }: MutatorInput<typeof schema, null, { body: string }>) => {
    await db.insert(notes).values({ id: newId(), ...args });
  },
});

export const openClient = (userId: string, tell: (text: string) => void, offline = false) =>
  createPlasmaClient({
    schema,
    mutators,
    dbName: "notes",
    endpoint: "https://example.org/sync",
    schemaVersion: "1",
    clientGroupID: userId,
    getContext: () => null,
    offline,
    onError: (error: SyncClientError) => {
      if (error.kind === "storage") tell("This device could not save your change. Free some space, or close old tabs.");
    },
  });
type Client = ReturnType<typeof openClient>;
// #endregion

// #region persist
/** Asks the browser to keep this site's data. Call it when a person has just made something worth keeping. */
export async function askToKeep(): Promise<boolean> {
  return (await navigator.storage.persisted()) || (await navigator.storage.persist());
}
// #endregion

// #region room
/** The share of the site's room that is used, between 0 and 1. */
export async function usedShare(): Promise<number> {
  const { usage = 0, quota = 1 } = await navigator.storage.estimate();
  return usage / quota;
}
// #endregion

// #region logout
import { deleteLocalData, type LostMutation } from "plasma-sync/client";

/** Sends what waits, as far as the network lets it, and leaves nothing of this person on the device. */
export async function logOut(client: Client): Promise<readonly LostMutation[]> {
  await client.flush();
  const { clientGroupID } = client;
  await client.close();
  return deleteLocalData({ dbName: "notes", clientGroupID });
}
// #endregion

// #region export
import { exportLocalData } from "plasma-sync/client";

/** Behind a button “Save a report for support”. */
export async function saveReport(userId: string): Promise<void> {
  const file = await exportLocalData({ dbName: "notes", clientGroupID: userId });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "notes-report.jsonl";
  link.click();
  URL.revokeObjectURL(link.href);
}
// #endregion

// #region import
import { importLocalData } from "plasma-sync/client";

/** The notes and the outbox of the person who sent the report, on your own machine. */
export async function openReport(file: Blob): Promise<Client> {
  await importLocalData({ file, dbName: "notes", clientGroupID: "report-4711" });
  // Offline: a client that syncs would send that person's outbox as you.
  return openClient("report-4711", console.warn, true);
}
// #endregion
