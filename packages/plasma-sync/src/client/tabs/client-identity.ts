// Owns: the tab's clientID between page loads. It lives in sessionStorage, one per database, and is taken out while in use:
// sessionStorage is copied by `window.open` and shared by frames of one origin, and no two of them may use one id.
// Invariants:
//   1. An id is in sessionStorage or in use, never both.
//   2. A page that dies without `pagehide` loses its id; its outbox is pushed by whoever leads.

import type { Env } from "../../core/lib/env.ts";

export interface ClientIdentity {
  readonly clientID: string;
  /** Whether it was kept from an earlier page: then the store must know it, else it is replaced. */
  readonly reused: boolean;
  /** The replica goes on with another id. */
  replace(clientID: string): void;
  /** Puts the id back for the next page. */
  release(): void;
}

/** Takes the tab's id, or makes one. `database` null: nothing is kept. */
export function takeClientID(database: string | null, env: Env): ClientIdentity {
  const storage = database === null ? null : tabStorage();
  const key = `${database}:clientID`;
  const kept = storage?.getItem(key) ?? null;
  if (kept !== null) storage?.removeItem(key);
  const clientID = kept ?? env.randomUUID();
  let current = clientID;
  const put = () => storage?.setItem(key, current);
  // A page that comes back from the back/forward cache still runs under its id.
  const take = () => storage?.removeItem(key);
  const page = storage === null ? null : globalThis;
  page?.addEventListener("pagehide", put);
  page?.addEventListener("pageshow", take);
  return {
    clientID,
    reused: kept !== null,
    replace: (next) => {
      current = next;
    },
    release: () => {
      page?.removeEventListener("pagehide", put);
      page?.removeEventListener("pageshow", take);
      put();
    },
  };
}

/** Null where there is none, or the page may not use it. */
function tabStorage(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // A sandboxed frame throws when it is only asked for.
  }
}
