// Owns: what the page of the fault tests offers to the test that drives it, as `window.app`: a client of the kill tests' app.
import { createPlasmaClient } from "../../packages/plasma-sync/src/client/client.ts";
import type { PendingMutationInfo } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import type { SyncClientError } from "../../packages/plasma-sync/src/client/sync/sync-error.ts";
import { entries, mutators, schema } from "../kills/kill-app.ts";

const errors: SyncClientError[] = [];
const lost: PendingMutationInfo[] = [];
const network = { isThere: true };
const client = createPlasmaClient({
  schema,
  mutators,
  dbName: "faults",
  endpoint: "/sync",
  schemaVersion: "1",
  clientGroupID: "ada",
  getContext: () => ({}),
  pollIntervalMs: 200,
  retry: { initialDelayMs: 50, maxDelayMs: 200 },
  fetcher: async (request) => {
    if (!network.isThere) throw new TypeError("no network");
    return fetch(request);
  },
  onError: (error) => {
    if (error.kind !== "network") errors.push(error);
  },
  onReset: (pending) => lost.push(...pending),
});

class App {
  readonly network = network;
  #n = 0;

  /** Writes one entry; how that ended. */
  write(writer: string, textLength = 10): Promise<string> {
    return client.mutate.write({ writer, entry: (this.#n += 1), text: "x".repeat(textLength) }).then(
      () => "saved",
      (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
    );
  }

  /** What the page shows of a writer, in order of writing. */
  async shown(writer: string): Promise<number[]> {
    const rows = await client.db.select().from(entries);
    return rows
      .filter((row) => row.writer === writer)
      .map(({ n }) => n)
      .sort((a, b) => a - b);
  }

  async pending(): Promise<number> {
    return (await client.pending()).length;
  }

  status(): { readonly lastError: string; readonly isSynced: boolean; readonly clientID: string } {
    const { lastError, firstSync } = client.status.get();
    return { lastError: lastError?.kind ?? "none", isSynced: firstSync.done, clientID: client.clientID };
  }

  /** Codes of errors of the local database that the app was told of. */
  errors(): string[] {
    return errors.map((error) => ("error" in error ? ((error.error as { code?: string }).code ?? "?") : error.kind));
  }

  messages(): string[] {
    return errors.map(({ message }) => message);
  }

  lost(): unknown[] {
    return lost.map(({ args }) => (args as { entry: number }).entry);
  }
}

export type { App };
Object.assign(window, { app: new App() });
