// Owns: the tab's clientID between page loads. It lives in sessionStorage, one per database, and is taken out while in use:
// sessionStorage is copied by `window.open` and shared by frames of one origin, and no two of them may use one id.
// Invariants:
//   1. An id is in sessionStorage or in use, never both. So a page that may come back from the back/forward cache keeps
//      its id: the page shown meanwhile would use it too (a page hides after the next one has been shown).
//   2. A page that dies without `pagehide` loses its id; its outbox is pushed by whoever leads.

import type { Env } from "../../core/lib/env.ts";

export interface ClientIdentity {
  readonly clientID: string;
  /** Whether it was kept from an earlier page: then the store must know it, else it is replaced. */
  readonly reused: boolean;
  /** The replica goes on with another id. */
  replace(clientID: string): void;
  /** Puts the id back for the next client of this tab. Called twice, it does nothing the second time. */
  release(): void;
}

/** Takes the tab's id, or makes one. `database` null: nothing is kept. */
export function takeClientID(database: string | null, env: Env): ClientIdentity {
  const storage = database === null ? null : tabStorage();
  const key = keyOf(database);
  const kept = storage?.getItem(key) ?? null;
  storage?.removeItem(key);
  let current: string | null = kept ?? env.randomUUID();
  const putBack = () => {
    if (current !== null && storage !== null) keep(storage, key, current);
    current = null;
  };
  const onPageHide = (event: PageTransitionEvent) => {
    if (!event.persisted) putBack();
  };
  if (storage !== null) addEventListener("pagehide", onPageHide);
  return {
    clientID: current,
    reused: kept !== null,
    replace: (next) => {
      current = next;
    },
    release: () => {
      if (storage !== null) removeEventListener("pagehide", onPageHide);
      putBack();
    },
  };
}

/** Leaves no trace of a database in this tab: its name names a user. */
export const forgetClientID = (database: string): void => tabStorage()?.removeItem(keyOf(database));

const keyOf = (database: string | null): string => `${database}:clientID`;

/** Null where there is none (no page: a worker, a server), or the page may not use it. */
function tabStorage(): Storage | null {
  try {
    return typeof window === "undefined" ? null : window.sessionStorage;
  } catch {
    return null; // A sandboxed frame throws when it is only asked for.
  }
}

function keep(storage: Storage, key: string, clientID: string): void {
  try {
    storage.setItem(key, clientID);
  } catch {
    return; // It is full: the next page takes a new id, as after a crash.
  }
}
