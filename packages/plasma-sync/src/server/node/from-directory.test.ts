import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { blobStoreSuite, bytesOf, keyOf, streamOfBytes } from "../blob/blob-store.suite.ts";
import { isBlobKey } from "../blob/blob-key.ts";
import { fromDirectory } from "./from-directory.ts";

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

async function newRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "plasma-blobs-"));
  roots.push(root);
  return join(root, "files");
}

async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

blobStoreSuite("directory", async () => {
  const root = await newRoot();
  const leftovers = async () =>
    (await filesIn(root)).filter((path) => !isBlobKey(path.slice(dirname(path).length + 1)));
  return { store: fromDirectory(root), leftovers };
});

test("what a killed process has left of a blob is no blob, and goes with its key", async () => {
  const root = await newRoot();
  const store = fromDirectory(root);
  const bytes = bytesOf(10);
  const key = keyOf(bytes);
  await store.put(key, streamOfBytes(bytes), 10);
  const [path] = await filesIn(root);
  await writeFile(`${path}.0011.part`, "half of it");
  await rm(path!);
  expect(await store.head(key)).toBeNull();
  expect(await store.list()).toEqual({ keys: [], cursor: null });
  await store.delete([key]);
  expect(await filesIn(root)).toEqual([]);
});

test("another process sees what one has stored", async () => {
  const root = await newRoot();
  const bytes = bytesOf(10);
  const key = keyOf(bytes);
  await fromDirectory(root).put(key, streamOfBytes(bytes), 10);
  expect(await fromDirectory(root).head(key)).toEqual({ sizeBytes: 10 });
});

test("what is no key of ours reaches no file", async () => {
  const store = fromDirectory(await newRoot());
  for (const key of ["../../etc/passwd", `${"a".repeat(64)}/../x`, `${"A".repeat(64)}.${"0".repeat(16)}`, "", "con"])
    await expect((async () => store.head(key))()).rejects.toMatchObject({ code: "bug/invariant" });
});
