// Owns: what a page offers to the tests of deletion, reset and export: clients of several users on IndexedDB, and a server that
// lives in the page's test (`/sync` is answered by playwright).
import { createPlasmaClient, deleteLocalData, exportLocalData } from "plasma-sync/client";
import { defineMutators, defineSchema, file, id, table, text, type FileRef, type MutatorInput } from "plasma-sync";

const notes = table("notes", { id: id(), body: text(), photo: file().nullable() });
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, unknown>()({
  add: async ({ db, args, newId }: MutatorInput<typeof schema, unknown, { body: string; photo: FileRef | null }>) => {
    await db.insert(notes).values({ id: newId(), ...args });
  },
});

const DB_NAME = "local-data";
type Client = ReturnType<LocalData["make"]>;

class LocalData {
  #client: Client | null = null;
  readonly errors: string[] = [];
  readonly shown: string[][] = [];

  make(user: string) {
    return createPlasmaClient({
      schema,
      mutators,
      dbName: DB_NAME,
      endpoint: "/sync",
      schemaVersion: "1",
      clientGroupID: user,
      getContext: () => null,
      pollIntervalMs: 200,
      onError: (error) => void this.errors.push(error.kind),
    });
  }

  /** A client of that user; what it shows is noted. */
  open(user: string): void {
    this.#client = this.make(user);
    this.#client.db
      .select()
      .from(notes)
      .orderBy(notes.body)
      .live()
      .subscribe((rows) => this.shown.push(rows.map(({ body }) => body)));
  }

  get client(): Client {
    if (this.#client === null) throw new Error("no client is open");
    return this.#client;
  }

  /** Adds a note; how that ended: "ok" or the error's code. */
  add(body: string, photo: string | null = null): Promise<string> {
    return this.client.mutate.add({ body, photo: photo === null ? null : new Blob([photo]) }).then(
      () => "ok",
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    );
  }

  close(): Promise<void> {
    return this.client.close();
  }

  async delete(user?: string): Promise<unknown[]> {
    const lost = await deleteLocalData({ dbName: DB_NAME, ...(user === undefined ? {} : { clientGroupID: user }) });
    return lost.map(({ args }) => (args as { body: string }).body);
  }

  async export(user: string): Promise<string> {
    return (await exportLocalData({ dbName: DB_NAME, clientGroupID: user })).text();
  }

  /** Keeps the database open and hears nothing, like a page that is frozen. */
  async sit(user: string): Promise<void> {
    const [name] = await this.databases(user);
    await new Promise((resolve, reject) => {
      const request = indexedDB.open(name ?? "");
      request.onsuccess = resolve;
      request.onerror = reject;
    });
  }

  async databases(user = ""): Promise<string[]> {
    return (await indexedDB.databases()).flatMap(({ name }) => (name?.endsWith(user) === true ? [name] : []));
  }

  /** What a person who sits down here next could find of the one before. */
  async traces(): Promise<unknown> {
    const { held = [], pending = [] } = await navigator.locks.query();
    return {
      databases: await this.databases(),
      sessionStorage: Object.keys(sessionStorage),
      localStorage: Object.keys(localStorage),
      locks: [...held, ...pending].map(({ name }) => name),
    };
  }
}

export type { LocalData };
Object.assign(window, { localData: new LocalData() });
