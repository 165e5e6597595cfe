// Owns: the records of outbox and clients in IndexedDB, inside a transaction that somebody else has begun.

import type { Rejection } from "../../core/protocol/pull.ts";
import { resultOf } from "./idb-requests.ts";
import type { ClientRecord } from "./layout.ts";
import { planUnsent } from "./plan-commit.ts";
import type { OutboxEntry, SyncCommit, UnsentRejection } from "./store.ts";

export const readOutbox = (tx: IDBTransaction): Promise<OutboxEntry[]> =>
  resultOf<OutboxEntry[]>(tx.objectStore("outbox").getAll());

export const readClients = (tx: IDBTransaction): Promise<ClientRecord[]> =>
  resultOf<ClientRecord[]>(tx.objectStore("clients").getAll());

export const readClient = (tx: IDBTransaction, clientID: string): Promise<ClientRecord | undefined> =>
  resultOf<ClientRecord | undefined>(tx.objectStore("clients").get(clientID));

export function putEntries(tx: IDBTransaction, entries: readonly OutboxEntry[]): void {
  const outbox = tx.objectStore("outbox");
  const lastIDs = new Map<string, number>();
  for (const entry of entries) {
    outbox.put(entry);
    lastIDs.set(entry.clientID, entry.id);
  }
  for (const [clientID, lastID] of lastIDs) tx.objectStore("clients").put({ clientID, lastID } satisfies ClientRecord);
}

/** Whether the entries of an append are in the outbox, whatever their ids are by now. */
export async function isThere(tx: IDBTransaction, { entries: [first] }: { readonly entries: readonly OutboxEntry[] }) {
  if (first === undefined) return false;
  const stored = await resultOf<OutboxEntry | undefined>(tx.objectStore("outbox").get(first.order));
  return stored?.seed === first.seed;
}

/** What a step of syncing does to the outbox. Resolves to the seeds of the refused entries that were there. */
export async function syncOutbox(tx: IDBTransaction, commit: SyncCommit): Promise<ReadonlyMap<Rejection, string>> {
  const outbox = tx.objectStore("outbox");
  const seeds = new Map<Rejection, string>();
  await Promise.all([
    ...commit.rejected.map(async (rejection) => {
      const { clientID, id } = rejection;
      for (const { order, seed } of await readEntries(outbox, clientID, id, id)) {
        seeds.set(rejection, seed);
        outbox.delete(order);
      }
    }),
    ...Object.entries(commit.confirmed).map(([clientID, id]) => deleteEntries(outbox, clientID, id)),
  ]);
  putEntries(tx, commit.replace ?? []);
  if (commit.unsent !== undefined) await takeOut(tx, commit.unsent);
  return seeds;
}

/** Takes out an entry that was never sent; the later ones of its client move down. */
async function takeOut(tx: IDBTransaction, unsent: UnsentRejection): Promise<void> {
  const { clientID, id } = unsent;
  const outbox = tx.objectStore("outbox");
  const plan = planUnsent(await readEntries(outbox, clientID, id, Infinity), unsent);
  if (plan === null) return;
  outbox.delete(plan.order);
  for (const entry of plan.moved) outbox.put(entry);
  tx.objectStore("clients").put({ clientID, lastID: id - 1 + plan.moved.length } satisfies ClientRecord);
}

/** A client's entries from id `first` to `last`, by id. */
const readEntries = (outbox: IDBObjectStore, clientID: string, first: number, last: number) =>
  resultOf<OutboxEntry[]>(outbox.index("byClient").getAll(IDBKeyRange.bound([clientID, first], [clientID, last])));

/** Deletes a client's entries up to `last`. */
async function deleteEntries(outbox: IDBObjectStore, clientID: string, last: number): Promise<void> {
  const range = IDBKeyRange.bound([clientID, 0], [clientID, last]);
  for (const order of await resultOf(outbox.index("byClient").getAllKeys(range))) outbox.delete(order);
}
