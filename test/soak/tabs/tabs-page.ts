// Owns: what a page of the five tabs offers to the play that drives it, as `window.tabs`.
import { createPlasmaClient } from "../../../packages/plasma-sync/src/client/client.ts";
import type { SyncClientError } from "../../../packages/plasma-sync/src/client/sync/sync-error.ts";
import { marks, mutators, schema } from "./tabs-app.ts";

/** Of this load of the page. */
const page = crypto.randomUUID().slice(0, 8);
const errors: SyncClientError[] = [];
const query = new URLSearchParams(location.search);

/** Tells the server's log what happened, also when the page dies right after. */
const note = (what: string): void => void navigator.sendBeacon("/note", `${page} ${what}`);

if (query.has("single")) Object.defineProperty(navigator, "locks", { value: undefined });
else {
  const request = navigator.locks.request.bind(navigator.locks) as (
    name: string,
    ...rest: unknown[]
  ) => Promise<unknown>;
  const watched = (name: string, ...rest: unknown[]) => {
    const isSteal = (rest[0] as LockOptions | undefined)?.steal === true;
    if (isSteal) note("takes the lock");
    return request(name, ...rest);
  };
  Object.defineProperty(navigator.locks, "request", { value: watched });
}
for (const type of ["freeze", "resume", "visibilitychange"])
  document.addEventListener(type, () => note(`${type} ${document.visibilityState}`));

const client = createPlasmaClient({
  schema,
  mutators,
  dbName: query.get("db") ?? "tabs",
  endpoint: "/sync",
  schemaVersion: "1",
  clientGroupID: "ada",
  getContext: () => null,
  authHeaders: () => ({ "x-page": page }),
  pollIntervalMs: 500,
  retry: { initialDelayMs: 100, maxDelayMs: 1000 },
  onError: (error) => errors.push(error),
});
let role = "";
client.status.subscribe(() => {
  const now = client.status.get().role;
  if (now !== role) note(`is ${now}`);
  role = now;
});
let shown: readonly { readonly id: string; readonly hits: number }[] = [];
client.db
  .select()
  .from(marks)
  .live()
  .subscribe((rows) => (shown = rows));

const tabs = {
  page,
  errors,
  /** Resolves when it is durable here. */
  mark: (id: string) => client.mutate.mark({ id, tab: page }),
  flush: () => client.flush(),
  role: () => client.status.get().role,
  visible: () => document.visibilityState,
  clientID: () => client.clientID,
  state: () => {
    const { outboxDepth, firstSync, role: now } = client.status.get();
    // A mark that took effect twice shows its count.
    const rows = shown.map(({ id, hits }) => `${id}×${hits}`).sort();
    return { outboxDepth, isSynced: firstSync.done, role: now, rows };
  },
};
export type Tabs = typeof tabs;
Object.assign(window, { tabs });
