// Owns: what an app does with local data as a whole, with or without a client: deleting, exporting, importing it. Export and import
// load their code when they are called: most pages never do.

import { deleteDatabases, type LostMutation } from "./store/delete-local-data.ts";
import type { LocalDataScope } from "./store/existing-databases.ts";
import type { ExportOptions } from "./store/export-local-data.ts";
import type { ImportOptions } from "./store/import-local-data.ts";
import { forgetClientID } from "./tabs/client-identity.ts";

export type { ExportOptions, ImportOptions, LocalDataScope, LostMutation };

/**
 * Deletes the local data of an app on this device, of one user or, without `clientGroupID`, of all. Returns the mutations
 * that the server had not confirmed, in order. Close this page's client first; a client that is open in another tab can no
 * longer write, and says so (`storage`), until its page is loaded anew. Guide: docs/guides/storage.md.
 *
 * @throws PlasmaError `client/storage` when the browser refuses.
 * @example
 * await client.close();
 * const lost = await deleteLocalData({ dbName: "todo", clientGroupID: user.id });
 */
export async function deleteLocalData(scope: LocalDataScope): Promise<readonly LostMutation[]> {
  const deleted = await deleteDatabases(scope);
  for (const { name } of deleted) forgetClientID(name);
  return deleted.flatMap(({ lost }) => lost);
}

/**
 * What lies on this device for an app, of one user or, without `clientGroupID`, of all, as a file for support: JSON Lines with the
 * state of syncing, the outbox with its args, and the rows, as they lie on the disk; empty where there is nothing. No tokens or
 * headers are in it; what people wrote is. Works while clients are open, in this tab and others: their writes wait until it has
 * been read. Works on a database that the client cannot open. Guide: docs/guides/storage.md.
 *
 * @throws PlasmaError `client/storage` when the browser does not let it be read.
 * @example
 * const file = await exportLocalData({ dbName: "todo", clientGroupID: user.id });
 * link.href = URL.createObjectURL(file);
 */
export async function exportLocalData(options: ExportOptions): Promise<Blob> {
  return (await import("./store/export-local-data.ts")).exportDatabases(options);
}

/**
 * Makes a local database of an export, under names of your own. Open it with a client that has `offline: true`: one that syncs
 * would send the user's outbox as you.
 *
 * @throws PlasmaError `client/storage` when there is data under these names, or the file is not whole.
 * @example
 * await importLocalData({ file, dbName: "todo-of-a-user", clientGroupID: "support" });
 */
export async function importLocalData(options: ImportOptions): Promise<void> {
  await (await import("./store/import-local-data.ts")).importDatabase(options);
}
