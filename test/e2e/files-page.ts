// Owns: what the page of the file tests offers to the test that drives it, as `window.files`. Its query: endpoint, user.
import type { FileState } from "../../packages/plasma-sync/src/client/blobs/file-content.ts";
import { createPlasmaClient } from "../../packages/plasma-sync/src/client/client.ts";
import type { MutationPromise } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import type { SyncClientError } from "../../packages/plasma-sync/src/client/sync/sync-error.ts";
import { eq } from "../../packages/plasma-sync/src/core/query/expressions.ts";
import type { FileRef } from "../../packages/plasma-sync/src/core/schema/value.ts";
import { filesApp } from "./files-app.ts";

const query = new URLSearchParams(location.search);
const user = query.get("user") ?? "ada";
const { notes, schema, mutators } = filesApp();
const errors: SyncClientError[] = [];
const progress: { readonly hash: string | null; readonly loadedBytes: number }[] = [];
const client = createPlasmaClient({
  schema,
  mutators,
  dbName: "files",
  endpoint: query.get("endpoint") ?? "",
  schemaVersion: "1",
  clientGroupID: user,
  getContext: () => ({}),
  authHeaders: () => ({ "x-user": user }),
  pollIntervalMs: 500,
  retry: { initialDelayMs: 100, maxDelayMs: 500 },
  onError: (error) => errors.push(error),
  onFileProgress: (event) => {
    if (event.phase === "uploading") progress.push(event);
  },
});

/** The same bytes for the same seed. */
function bytesOf(sizeBytes: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0, x = seed + 1; i < sizeBytes; i += 1) bytes[i] = x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 16;
  return bytes;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

async function refOf(id: string): Promise<FileRef | null> {
  const [row] = await client.db.select().from(notes).where(eq(notes.id, id));
  return row?.cover ?? null;
}

class Files {
  readonly errors = errors;
  readonly progress = progress;
  readonly settled: string[] = [];

  /** Resolves when it is durable here; how the server decides is added to `settled`. */
  async add(id: string, sizeBytes: number, type = "image/png"): Promise<void> {
    const cover = new File([bytesOf(sizeBytes, sizeBytes)], `${id}.png`, { type });
    await this.#settling(id, client.mutate.add({ id, title: id, cover }));
  }

  addText(id: string): Promise<void> {
    return this.#settling(id, client.mutate.add({ id, title: id, cover: null }));
  }

  async titles(): Promise<string[]> {
    return (await client.db.select().from(notes)).map(({ title }) => title).sort();
  }

  /** The file's status, and whether its bytes are those that `add` gave. */
  async read(id: string, sizeBytes: number): Promise<string> {
    const ref = await refOf(id);
    if (ref === null) return "no file";
    const found = await client.readFile(ref);
    if (!("bytes" in found)) return found.status;
    const bytes = new Uint8Array(await found.bytes.arrayBuffer());
    const isWhole = sameBytes(bytes, bytesOf(sizeBytes, sizeBytes)) && found.bytes.type === found.mime;
    return `${found.status} ${isWhole ? "whole" : "broken"}`;
  }

  /** The statuses through which a file goes from now on. */
  async watch(id: string): Promise<string[]> {
    const statuses: string[] = [];
    const ref = await refOf(id);
    const note = ({ status }: FileState) => {
      if (statuses.at(-1) !== status) statuses.push(status);
    };
    if (ref !== null) client.watchFile(ref, note);
    return (this.watched = statuses);
  }
  watched: readonly string[] = [];

  async pending(): Promise<string[]> {
    return (await client.pending()).map(({ args, state }) => `${(args as { id: string }).id} ${state}`);
  }

  async #settling(id: string, added: MutationPromise): Promise<void> {
    added.server.then(
      (at) => this.settled.push(`${id} applied ${at.id}`),
      (error: { code: string }) => this.settled.push(`${id} ${error.code}`),
    );
    await added;
  }

  role(): string {
    return client.status.get().role;
  }

  flush(): Promise<void> {
    return client.flush();
  }
}

export type { Files };
Object.assign(window, { files: new Files() });
