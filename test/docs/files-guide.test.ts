// The code that the files guide shows is a program that the compiler checks; here a person attaches files by it.

import "fake-indexeddb/auto";
import { afterEach, expect, test, vi } from "vitest";
import {
  attachAll,
  attachments,
  bars,
  drawCover,
  explain,
  notes,
  openNotes,
  showPicture,
  tellOfUpload,
  textOf,
} from "../../docs/guides/files-examples.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

let clients: ReturnType<typeof openNotes>[] = [];
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
});

async function open(dbName: string = crypto.randomUUID()) {
  const client = openNotes({ dbName });
  clients.push(client);
  return { client, dbName };
}

test("the guide shows the code of its program", () => {
  expect(blocksOf("files.md").toSorted()).toEqual(regionsOf("files-examples.ts").toSorted());
});

test("files that are dropped become rows, with progress, and are there after a reload", async () => {
  const { client, dbName } = await open();
  await client.mutate.addNote({ id: "n", title: "Garden" });
  const dropped = [new File(["one"], "one.txt", { type: "text/plain" }), new File([], "empty.bin")];
  await attachAll(client, "n", dropped);
  const expected = [
    { size: 0, name: "empty.bin", mime: "application/octet-stream" },
    { size: 3, name: "one.txt", mime: "text/plain" },
  ];
  const namesOf = async (of: typeof client) =>
    (await of.db.select().from(attachments))
      .map(({ file: { size, name, mime } }) => ({ size, name, mime }))
      .toSorted((a, b) => a.size - b.size);
  expect(await namesOf(client)).toEqual(expected);
  expect(dropped.map((each) => bars.get(each))).toEqual([1, 1]);
  await client.close();
  expect(await namesOf((await open(dbName)).client)).toEqual(expected);
});

test("a cover is drawn once; another is refused with what to write instead", async () => {
  const { client } = await open();
  await client.mutate.addNote({ id: "n", title: "Garden" });
  await drawCover(client, "n", new Uint8Array([1, 2, 3]));
  const [row] = await client.db.select().from(notes);
  expect(row?.cover).toMatchObject({ size: 3, mime: "image/png" });
  const error: unknown = await drawCover(client, "n", new Uint8Array([4])).catch((caught: unknown) => caught);
  expect(explain(error)).toContain("file({ immutable: false })");
  await client.mutate.setCover({ noteId: "n", cover: null });
  await drawCover(client, "n", new Uint8Array([4]));
});

test("what is too large or of another type is explained to the person", async () => {
  const { client } = await open();
  const refused = async (cover: Blob) => {
    const error: unknown = await client.mutate.setCover({ noteId: "n", cover }).catch((caught: unknown) => caught);
    return explain(error);
  };
  // The attachments' column would take them: the cover's refuses at the write.
  await client.mutate.addNote({ id: "n", title: "Garden" });
  expect(await refused(new Blob(["<p>"], { type: "text/html" }))).toContain("allowed are image/*");
  expect(await refused(new Blob([new Uint8Array(5_000_001)], { type: "image/png" }))).toContain("at most 5000000");
  expect(explain(new TypeError("another"))).toBe(null);
});

test("a file is read as text, and shown under a URL that is revoked in the end", async () => {
  const { client } = await open();
  await client.mutate.addNote({ id: "n", title: "Garden" });
  await attachAll(client, "n", [new File(["three beds"], "plan.txt", { type: "text/plain" })]);
  const [row] = await client.db.select().from(attachments);
  const ref = row?.file ?? expect.fail("the row has a file");
  expect(await textOf(client, ref)).toBe("three beds");
  expect(await textOf(client, { ...ref, hash: "0".repeat(64) })).toBe("This file is not here.");
  const picture = { src: "" };
  const end = showPicture(client, ref, picture);
  await vi.waitFor(() => expect(picture.src).toMatch(/^blob:/));
  expect(await (await fetch(picture.src)).text()).toBe("three beds");
  end();
  await expect(fetch(picture.src)).rejects.toThrow();
});

test("the person is told of a file that the server refused, and not of what is sent again", () => {
  const rejected = { kind: "mutation-rejected", clientID: "c", id: 1, name: "attach", args: {} } as const;
  expect(tellOfUpload({ ...rejected, code: "blob/refused", message: "Too large." })).toContain("Too large.");
  expect(tellOfUpload({ kind: "blob-upload-failed", hash: "00", message: "503", willRetry: true })).toBe(null);
});
