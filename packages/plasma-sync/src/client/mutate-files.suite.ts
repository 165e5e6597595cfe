// Owns: what becomes of files given to `mutate`, with a real client on real storage: hashing, storing, order, failures.
// It runs in Node on fake-indexeddb and in Chromium.

import { afterEach, describe, expect, test, vi } from "vitest";
import { isPlasmaError } from "../core/error.ts";
import { systemEnv } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import { id, json, text } from "../core/schema/column.ts";
import { file } from "../core/schema/file-column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import type { FileRef } from "../core/schema/value.ts";
import type { FileProgress } from "./blobs/file-progress.ts";
import { bytesOf, hashOf } from "./blobs/local-blobs.suite.ts";
import type { LocalBlobs } from "./blobs/local-blobs.ts";
import { createPlasmaClient } from "./client.ts";
import { createIdbLocalBlobs } from "./store/idb-local-blobs.ts";
import { databaseName } from "./store/layout.ts";
import { codeOf } from "./store/store.suite.ts";

const notes = table("notes", {
  id: id(),
  title: text().default(""),
  cover: file({ maxSize: 20_000_000, mimeAllowList: ["image/*", "text/plain", "application/octet-stream"] }).nullable(),
  more: json().nullable(),
});
const schema = defineSchema({ notes });
type Args = { id: string; title?: string; cover?: FileRef | null; more?: unknown };
const mutatorsOf = (of: typeof notes) =>
  defineMutators<typeof schema, unknown>()({
    add: async ({ db, args }: MutatorInput<typeof schema, unknown, Args>) => {
      await db.insert(of).values({ ...args, more: (args.more ?? null) as never });
    },
    fail: () => {
      throw new Error("as asked");
    },
  });

const png = (bytes: Uint8Array<ArrayBuffer>, name = "p.png") => new File([bytes], name, { type: "image/png" });

export function mutateFilesSuite(kind: string): void {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const each of opened.splice(0).reverse()) await each.close();
  });

  function open({ dbName = systemEnv.randomUUID(), of = notes } = {}) {
    const progress: FileProgress[] = [];
    const client = createPlasmaClient({
      schema: defineSchema({ notes: of }),
      mutators: mutatorsOf(of),
      dbName,
      schemaVersion: "1",
      clientGroupID: "ada",
      getContext: () => ({}),
      offline: true,
      onFileProgress: (event) => progress.push(event),
    });
    const blobs: LocalBlobs = createIdbLocalBlobs({ name: databaseName(dbName, "ada"), env: systemEnv });
    opened.push(client, blobs);
    return { client, blobs, progress, dbName };
  }
  const coverOf = async (client: ReturnType<typeof open>["client"], noteID: string) =>
    (await client.db.select().from(notes)).find((row) => row.id === noteID)?.cover;

  describe(`files given to mutate, on ${kind}`, () => {
    test.each([
      ["empty", 0],
      ["of one byte", 1],
      ["hashed in one go", limits.fileDigestBytesMax],
      ["hashed in pieces", limits.fileDigestBytesMax + limits.fileReadBytes + 1],
    ])("a file %s becomes a FileRef, and its bytes are on the device when mutate resolves", async (_what, size) => {
      const { client, blobs } = open();
      const bytes = bytesOf(size);
      await client.mutate.add({ id: "n", cover: png(bytes, "été.png") });
      const hash = await hashOf(bytes);
      expect(await coverOf(client, "n")).toEqual({ hash, size, mime: "image/png", name: "été.png" });
      expect(await blobs.info(hash)).toEqual({ hash, sizeBytes: size, uploaded: false });
      expect(await hashOf(new Uint8Array(await (await blobs.read(hash))!.arrayBuffer()))).toBe(hash);
      expect((await client.pending())[0]).toMatchObject({ name: "add", args: { cover: { hash } } });
    });

    test("files anywhere in the args, several, and the same twice are each taken in once", async () => {
      const { client, blobs, progress } = open();
      const [a, b] = [png(bytesOf(10)), new Blob([bytesOf(20)])];
      await client.mutate.add({ id: "n", more: { list: [a, { deep: b }, a], $odd: a } });
      const [row] = await client.db.select().from(notes);
      const refA = { hash: await hashOf(bytesOf(10)), size: 10, mime: "image/png", name: "p.png" };
      const refB = { hash: await hashOf(bytesOf(20)), size: 20, mime: "application/octet-stream" };
      expect(row?.more).toEqual({ list: [refA, { deep: refB }, refA], $odd: refA });
      expect(await blobs.notUploaded()).toHaveLength(2);
      expect(progress.filter(({ hash }) => hash !== null)).toHaveLength(2);
    });

    test("a FileRef is taken as it is, beside files", async () => {
      const { client } = open();
      await client.mutate.add({ id: "a", cover: png(bytesOf(10)) });
      const ref = (await coverOf(client, "a"))!;
      await client.mutate.add({ id: "b", cover: ref, more: { and: new Blob(["x"]) } });
      expect(await coverOf(client, "b")).toEqual(ref);
    });

    test("what the app does to its args after the call does not reach the mutation", async () => {
      const { client } = open();
      const args = { id: "n", title: "before", cover: png(bytesOf(10)) as Blob };
      const done = client.mutate.add(args);
      args.title = "after";
      args.cover = png(bytesOf(99));
      await done;
      expect(await client.db.select().from(notes)).toMatchObject([{ title: "before", cover: { size: 10 } }]);
    });

    test("names and types are put into the form that a column takes", async () => {
      const { client } = open();
      const cases: [string, string, string | undefined, string][] = [
        ["a/b\\c\n.png", "image/png", "a_b_c_.png", "image/png"],
        ["x".repeat(300), "", "x".repeat(255), "application/octet-stream"],
        ["..", "TEXT/Plain;charset=UTF-8", undefined, "text/plain"],
        ["half \ud800.png", "nonsense", "half \ufffd.png", "application/octet-stream"],
      ];
      for (const [i, [name, type, expectedName, mime]] of cases.entries()) {
        await client.mutate.add({ id: `n${i}`, cover: new File([bytesOf(3)], name, { type }) });
        const cover = await coverOf(client, `n${i}`);
        expect([cover?.mime, cover?.name]).toEqual([mime, expectedName]);
      }
    });

    test("a call without files is made at once; one with files takes its place when they are ready", async () => {
      const { client } = open();
      const withFile = client.mutate.add({ id: "file", cover: png(bytesOf(1000)) });
      const without = client.mutate.add({ id: "plain" });
      await Promise.all([withFile, without]);
      expect((await client.pending()).map(({ id: nth, args }) => [nth, (args as Args).id])).toEqual([
        [1, "plain"],
        [2, "file"],
      ]);
    });

    test("progress goes from 0 to all, and ends with the hash", async () => {
      const { client, progress } = open();
      const picked = png(bytesOf(limits.fileDigestBytesMax + 1));
      await client.mutate.add({ id: "n", cover: picked });
      const loaded = progress.map(({ loadedBytes }) => loadedBytes);
      expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
      expect(loaded.length).toBeGreaterThan(8);
      expect(progress.every(({ file: of, phase }) => of === picked && phase === "hashing")).toBe(true);
      expect(progress.at(-1)).toMatchObject({ loadedBytes: picked.size, hash: (await coverOf(client, "n"))?.hash });
    });
  });

  describe(`files that cannot be taken, on ${kind}`, () => {
    const slicesOf = () => vi.spyOn(Blob.prototype, "slice");

    test.each([
      ["larger than every maxSize", png(bytesOf(20_000_001)), /20000001 bytes; at most 20000000/],
      ["of a type that no column takes", new File(["x"], "x.html", { type: "text/html" }), /its type is text\/html/],
    ])("a file %s is refused before a byte of it is read", async (_what, given, message) => {
      const { client, blobs } = open();
      const slice = slicesOf();
      const error: unknown = await client.mutate.add({ id: "n", cover: given }).catch((caught: unknown) => caught);
      expect(isPlasmaError(error, "blob/refused")).toBe(true);
      expect((error as Error).message).toMatch(message);
      expect([slice.mock.calls.length, await blobs.notUploaded(), await client.pending()]).toEqual([0, [], []]);
    });

    test("a schema without file columns takes none", async () => {
      const plain = table("notes", { id: id() });
      const { client } = open({ of: plain as unknown as typeof notes });
      expect(await codeOf(client.mutate.add({ id: "n", cover: new Blob(["x"]) }))).toBe("blob/refused");
    });

    test("a file that can no longer be read rejects with its name, and leaves nothing", async () => {
      const { client, blobs } = open();
      const gone = png(bytesOf(limits.fileDigestBytesMax + limits.blobChunkBytes * 3), "gone.png");
      let reads = 0;
      const { slice } = Blob.prototype;
      vi.spyOn(gone, "slice").mockImplementation((from, to) => {
        const piece = slice.call(gone, from, to);
        if (++reads > 5) piece.arrayBuffer = () => Promise.reject(new DOMException("It changed.", "NotReadableError"));
        return piece;
      });
      const error: unknown = await client.mutate.add({ id: "n", cover: gone }).catch((caught: unknown) => caught);
      expect(isPlasmaError(error, "client/file") && error.data).toMatchObject({ name: "gone.png" });
      expect([await blobs.notUploaded(), await client.pending()]).toEqual([[], []]);
      // The next one is not held up.
      await client.mutate.add({ id: "m", cover: png(bytesOf(5)) });
    });

    test("a mutator that fails makes no mutation; its id goes to the next", async () => {
      const { client } = open();
      await expect(client.mutate("fail", new Blob(["x"]) as never)).rejects.toThrow("as asked");
      await client.mutate.add({ id: "n" });
      expect((await client.pending()).map(({ id: nth }) => nth)).toEqual([1]);
    });

    test("a full disk rejects with client/storage, and nothing is left", async () => {
      const { client, blobs } = open();
      await client.mutate.add({ id: "first", cover: png(bytesOf(5)) });
      const { commit } = IDBTransaction.prototype;
      let chunks = 0;
      vi.spyOn(IDBTransaction.prototype, "commit").mockImplementation(function (this: IDBTransaction) {
        if (![...this.objectStoreNames].includes("blobWrites") || ++chunks < 3) return commit.call(this);
        Object.defineProperty(this, "error", { value: new DOMException("No room.", "QuotaExceededError") });
        this.abort();
      });
      expect(await codeOf(client.mutate.add({ id: "n", cover: png(bytesOf(5 * limits.blobChunkBytes)) }))).toBe(
        "client/storage",
      );
      vi.restoreAllMocks();
      expect([(await blobs.notUploaded()).length, (await client.pending()).length]).toEqual([1, 1]);
    });

    test("a client that is closed in the middle rejects, and leaves no part of the file", async () => {
      const { client, dbName } = open();
      const done = codeOf(client.mutate.add({ id: "n", cover: png(bytesOf(15_000_000)) }));
      await vi.waitFor(async () => expect((await indexedDB.databases()).length).toBeGreaterThan(0));
      await client.close();
      expect(await done).toBe("client/closed");
      const again = open({ dbName });
      expect([await again.blobs.notUploaded(), await again.client.pending()]).toEqual([[], []]);
    });
  });

  test(`on ${kind}, small files ride inside the FileRef when every file column allows it`, async () => {
    const inlining = table("notes", {
      id: id(),
      title: text().default(""),
      cover: file({ inlineThreshold: 100 }).nullable(),
      more: json().nullable(),
      other: file({ inlineThreshold: 50 }).nullable(),
    });
    const { client, blobs } = open({ of: inlining as unknown as typeof notes });
    for (const size of [0, 49, 50]) await client.mutate.add({ id: `n${size}`, cover: png(bytesOf(size)) });
    const inlines = [];
    for (const size of [0, 49, 50]) inlines.push((await coverOf(client, `n${size}`))?.inline);
    expect(inlines).toEqual(["", btoa(String.fromCharCode(...bytesOf(49))), undefined]);
    expect((await blobs.notUploaded()).map(({ sizeBytes }) => sizeBytes)).toEqual([50]);
    expect(await coverOf(client, "n49")).toMatchObject({ hash: await hashOf(bytesOf(49)), size: 49 });
  });
}
