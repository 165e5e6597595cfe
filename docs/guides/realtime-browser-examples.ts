// Owns: the code of realtime-browser.md, as a program: each block there is a region here, in the same order.

import { defineMutators, defineSchema, id, table, text, type MutatorInput } from "plasma-sync/core";

const notes = table("notes", { id: id(), body: text() });
export const schema = defineSchema({ notes });
export const mutators = defineMutators<typeof schema, unknown>()({
  addNote: async ({ db, args, newId }: MutatorInput<typeof schema, unknown, { body: string }>) => {
    await db.insert(notes).values({ id: newId(), body: args.body });
  },
});

// #region subscribe
import { createPlasmaClient, createWebSocketSubscription } from "plasma-sync/client";

export const openClient = (userId: string, origin: string, token: () => Promise<string>) =>
  createPlasmaClient({
    schema,
    mutators,
    dbName: "notes",
    endpoint: `${origin}/sync`,
    schemaVersion: "1",
    clientGroupID: userId,
    getContext: () => ({ userId }),
    authHeaders: async () => ({ authorization: `Bearer ${await token()}` }),
    subscribe: createWebSocketSubscription({ url: `${origin}/sync/coordinator`, token }),
  });
// #endregion

// #region presence
import { usePresence } from "plasma-sync/react";

interface Person {
  readonly name: string;
  readonly color: string;
}

/** Others who have the note open, and this person among them for the others. */
export function useReaders(noteId: string, me: Person): readonly Person[] {
  const { peers } = usePresence({ url: "/sync/coordinator", room: `note:${noteId}`, userInfo: me });
  return peers.map(({ userInfo }) => userInfo).filter(isPerson);
}

/** What others show of themselves is their own word. */
function isPerson(value: unknown): value is Person {
  const { name, color } = (value ?? {}) as Partial<Record<keyof Person, unknown>>;
  return typeof name === "string" && name.length <= 40 && /^#[0-9a-f]{6}$/.test(String(color));
}
// #endregion

// #region cursors
/** Call `move` with every pointer event: others see it at most 20 times a second, and where it ended. */
export function useCursors(noteId: string, me: Person) {
  const { peers, update } = usePresence({ url: "/sync/coordinator", room: `note:${noteId}`, userInfo: me });
  const move = (x: number, y: number) => update({ ...me, x, y });
  return { peers, move };
}
// #endregion

// #region plain
import { createPresence } from "plasma-sync/client";

/** Tells `onNames` who is in the room, until the returned function is called. */
export function watchRoom(
  url: string,
  room: string,
  me: Person,
  onNames: (names: readonly string[]) => void,
): () => void {
  const presence = createPresence({ url, room, userInfo: me });
  presence.subscribe(() => {
    const people = presence.get().all.map(({ userInfo }) => userInfo);
    onNames(people.filter(isPerson).map(({ name }) => name));
  });
  return () => presence.close();
}
// #endregion
