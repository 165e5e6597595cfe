// Owns: the client of this page, and whether it syncs. Switching makes another client on the same local database: what was
// written without a server waits in its outbox and goes out then.
import { createPlasmaClient, createWebSocketSubscription, type SyncClientError } from "plasma-sync/client";
import { noteProgress } from "./adding-files.ts";
import { mutators } from "./mutators.ts";
import { reportError } from "./notices.ts";
import { drafts, schema, SCHEMA_VERSION } from "./schema.ts";

export interface Session {
  readonly client: ReturnType<typeof openClient>;
  readonly isSyncOn: boolean;
}

const SYNC_KEY = "notes-sync";
const listeners = new Set<() => void>();
let session: Session = open();

export const readSession = (): Session => session;
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function switchSync(isOn: boolean): Promise<void> {
  localStorage.setItem(SYNC_KEY, isOn ? "on" : "off");
  await reopen();
}

// Another tab has switched.
addEventListener("storage", ({ key }) => {
  if (key === SYNC_KEY) void reopen();
});

async function reopen(): Promise<void> {
  await session.client.close();
  session = open();
  for (const listener of listeners) listener();
}

function open(): Session {
  const isSyncOn = localStorage.getItem(SYNC_KEY) === "on";
  const client = openClient(!isSyncOn);
  if (import.meta.env.DEV) Object.assign(window, { plasma: client });
  void saveLeftDrafts(client);
  return { client, isSyncOn };
}

function openClient(offline: boolean) {
  return createPlasmaClient({
    schema,
    mutators,
    dbName: "plasma-notes",
    endpoint: "/sync",
    schemaVersion: SCHEMA_VERSION,
    clientGroupID: "me",
    getContext: () => null,
    // No request, socket or timer.
    offline,
    subscribe: createWebSocketSubscription({ url: "/sync/coordinator" }),
    pollIntervalMs: Number(import.meta.env["VITE_POLL_MS"] ?? 5000),
    retry: { maxDelayMs: 4000 },
    onFileProgress: noteProgress,
    onError: (error: SyncClientError) => reportError(error),
  });
}

/** What was being typed when the app was closed, or killed. */
async function saveLeftDrafts(client: ReturnType<typeof openClient>): Promise<void> {
  for (const { id, title, body } of await client.db.select().from(drafts))
    void client.mutate.saveNote({ id, title, body });
}

declare module "plasma-sync/react" {
  interface Register {
    client: Session["client"];
  }
}
