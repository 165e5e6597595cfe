// Owns: the client of this page: one at a time, one per person.
import { createPlasmaClient, createWebSocketSubscription, type SyncClientError } from "plasma-sync/client";
import { mutators } from "./mutators.ts";
import { reportError } from "./notices.ts";
import { currentUserId, keepUserId } from "./people.ts";
import { schema, SCHEMA_VERSION } from "./schema.ts";

/** Where the server's sockets are: changes of others come over one, and who else is here over another. */
export const COORDINATOR = "/sync/coordinator";

export interface Session {
  readonly userId: string;
  readonly client: ReturnType<typeof openClient>;
}

let session: Session = open(currentUserId());
const listeners = new Set<() => void>();

export const readSession = (): Session => session;
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Closes the client of the person before; what they did not send yet stays in their database and goes next time. */
export async function switchUser(userId: string): Promise<void> {
  await session.client.close();
  keepUserId(userId);
  session = open(userId);
  for (const listener of listeners) listener();
}

function open(userId: string): Session {
  const client = openClient(userId);
  if (import.meta.env.DEV) Object.assign(window, { plasma: client });
  return { userId, client };
}

function openClient(userId: string) {
  const client = createPlasmaClient({
    schema,
    mutators,
    dbName: "plasma-todo",
    endpoint: "/sync",
    schemaVersion: SCHEMA_VERSION,
    clientGroupID: userId,
    getContext: () => ({ userId }),
    authHeaders: () => ({ "x-user": userId }),
    subscribe: createWebSocketSubscription({ url: COORDINATOR, token: userId }),
    // The default, unless a test wants others' changes to come over the socket alone.
    pollIntervalMs: Number(import.meta.env["VITE_POLL_MS"] ?? 5000),
    retry: { maxDelayMs: 4000 },
    onError: (error: SyncClientError) => void reportError(client.db, error),
  });
  return client;
}

declare module "plasma-sync/react" {
  interface Register {
    client: Session["client"];
  }
}
