// Owns: what a push owes of the files that its mutations put into rows, on every engine.

import { beforeEach, describe, expect, test } from "vitest";
import { toBase64 } from "../../core/lib/base64.ts";
import type { FileRef } from "../../core/schema/value.ts";
import { watched } from "../database/server-database.fixture.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { BlobServer, docs, mutation, refOf, tagged, type DocArgs } from "./blob-server.fixture.ts";
import { bytesOf, hashOfBytes } from "./blob-store.suite.ts";
import { memoryBlobs } from "./memory-blobs.ts";

const png = bytesOf(2000);
const hash = hashOfBytes(png);
const small = bytesOf(50);

export function fileChecksSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`files in pushes: ${name}`, () => {
    let server: BlobServer;
    let statements: string[];
    beforeEach(async () => {
      statements = [];
      server = new BlobServer(
        watched(await open(), ({ text }) => void statements.push(text)),
        memoryBlobs(),
      );
    });

    const wire = ({ cover, scan, ...args }: DocArgs) => ({
      ...args,
      ...(cover !== undefined && { cover: tagged(cover) }),
      ...(scan !== undefined && { scan: tagged(scan) }),
    });
    /** What becomes of the mutations: "applied" or the code of the refusal. */
    const push = async (
      user: string,
      ...calls: readonly (readonly [name: string, args: object])[]
    ): Promise<string[]> => {
      const client = server.client(user);
      next.set(user, (next.get(user) ?? 0) + calls.length);
      const first = next.get(user)! - calls.length + 1;
      const { json, text } = await client.push(...calls.map(([called, args], i) => mutation(first + i, called, args)));
      if (json.results === undefined) throw new RangeError(text);
      return json.results.map(({ status, error }) => error?.code ?? status);
    };
    const next = new Map<string, number>();
    beforeEach(() => next.clear());
    const add = (user: string, args: DocArgs) => push(user, ["addDoc", wire(args)]);
    const coverOf = async (docID: string) =>
      (await (await server.db()).select().from(docs)).find((row) => row.id === docID)?.cover ?? null;

    test("a file that this group has sent is taken, whatever type it says that it has", async () => {
      await server.put("ada", png, { mime: "image/jpeg" });
      expect(await add("ada", { id: "d1", cover: refOf(png, { name: "x.png" }) })).toEqual(["applied"]);
      expect(await server.statusOf("ada", hash)).toBe(200);
      expect(await coverOf("d1")).toEqual(refOf(png, { name: "x.png" }));
    });

    test("a file that nobody has sent, and one that only another has, are refused alike", async () => {
      await server.put("ada", png);
      await add("ada", { id: "d1", cover: refOf(png) });
      const client = server.client("grace");
      const unknown = refOf(png, { hash: "0".repeat(64) });
      const { json } = await client.push(
        mutation(1, "addDoc", wire({ id: "g1", cover: refOf(png) })),
        mutation(2, "addDoc", wire({ id: "g2", cover: unknown })),
        mutation(3, "addDoc", wire({ id: "g3" })),
        mutation(4, "setDoc", wire({ id: "g3", cover: refOf(png) })),
        mutation(5, "setDoc", wire({ id: "g3", shared: true })),
      );
      expect(json.results.map(({ status, error }) => error?.code ?? status)).toEqual([
        "blob/refused",
        "blob/refused",
        "applied",
        "blob/refused",
        "applied",
      ]);
      expect(json.results[0]?.error).toEqual(json.results[1]?.error);
      expect(await server.statusOf("grace", hash)).toBe(404);
      expect(await coverOf("g3")).toBeNull();
    });

    test("a file of a row that the group can read is taken; no more when it cannot", async () => {
      await server.put("ada", png);
      await add("ada", { id: "d1", cover: refOf(png), shared: true });
      expect(await add("grace", { id: "g1", cover: refOf(png) })).toEqual(["applied"]);
      await push("ada", ["setDoc", { id: "d1", shared: false }]);
      expect(await add("grace", { id: "g2", cover: refOf(png) })).toEqual(["applied"]);
      await push("grace", ["delDoc", { id: "g1" }], ["delDoc", { id: "g2" }]);
      expect(await add("grace", { id: "g3", cover: refOf(png) })).toEqual(["blob/refused"]);
      expect(await server.statusOf("ada", hash)).toBe(200);
    });

    test("a rule that looks into other tables lets a file be used too", async () => {
      await server.put("ada", png);
      await push(
        "ada",
        ["addDoc", { id: "d1", shared: true }],
        ["addPage", { id: "p1", docId: "d1", image: tagged(refOf(png)) }],
        ["addDoc", { id: "d2" }],
        ["addPage", { id: "p2", docId: "d2", image: tagged(refOf(png)) }],
      );
      expect(await add("grace", { id: "g1", cover: refOf(png) })).toEqual(["applied"]);
      await push("grace", ["delDoc", { id: "g1" }]);
      await push("ada", ["setDoc", { id: "d1", shared: false }]);
      expect(await add("grace", { id: "g2", cover: refOf(png) })).toEqual(["blob/refused"]);
    });

    test("the size must be that of the bytes", async () => {
      await server.put("ada", png);
      expect(await add("ada", { id: "d1", cover: refOf(png, { size: 1999 }) })).toEqual(["blob/refused"]);
      expect(await coverOf("d1")).toBeNull();
    });

    test("a ref that its row has already is not asked about again, and a rename is none", async () => {
      const db = await server.db();
      await db.insert(docs).values({ id: "d1", ownerId: "ada", cover: refOf(png) });
      expect(
        await push("ada", ["setDoc", wire({ id: "d1", shared: true, cover: refOf(png, { name: "new" }) })]),
      ).toEqual(["applied"]);
      expect(await coverOf("d1")).toEqual(refOf(png, { name: "new" }));
    });

    test("a mutator's own copy is held to the same", async () => {
      await server.put("ada", png);
      await add("ada", { id: "d1", cover: refOf(png) });
      expect(await push("grace", ["copyDoc", { from: "d1", id: "g1" }])).toEqual(["blob/refused"]);
      await push("ada", ["setDoc", { id: "d1", shared: true }]);
      expect(await push("grace", ["copyDoc", { from: "d1", id: "g1" }])).toEqual(["applied"]);
    });

    test("within a push a file may move from row to row", async () => {
      await server.put("ada", png);
      await add("ada", { id: "d1", cover: refOf(png), shared: true });
      const results = await push(
        "grace",
        ["copyDoc", { from: "d1", id: "g1" }],
        ["delDoc", { id: "g1" }],
        ["addDoc", wire({ id: "g2", cover: refOf(png) })],
        ["setDoc", wire({ id: "g2", scan: refOf(png) })],
      );
      expect(results).toEqual(["applied", "applied", "applied", "applied"]);
    });

    test("bytes inside of a ref need no upload, and must be those of its hash", async () => {
      const inline = (bytes: Uint8Array): FileRef => refOf(small, { inline: toBase64(bytes) });
      expect(await add("ada", { id: "d1", cover: inline(small) })).toEqual(["applied"]);
      expect(await add("ada", { id: "d2", cover: inline(bytesOf(50, 9)) })).toEqual(["blob/refused"]);
      expect(await server.rowsOf("_plasma_blob_refs")).toEqual([]);
      // Without its bytes it is a ref like any other.
      expect(await push("ada", ["setDoc", wire({ id: "d1", cover: refOf(small) })])).toEqual(["blob/refused"]);
      await server.put("ada", small);
      expect(await push("ada", ["setDoc", wire({ id: "d1", cover: refOf(small) })])).toEqual(["applied"]);
    });

    test("the column's own rules are held to here, too", async () => {
      await server.put("ada", png, { mime: "image/png" });
      expect(await add("ada", { id: "d1", scan: refOf(png, { mime: "text/plain" }) })).toEqual(["blob/refused"]);
    });

    test("what was blocked by too many refs is told to the operator", async () => {
      server = new BlobServer(server.executor, server.store, { readAuthMaxRefs: 1 });
      await server.put("ada", png);
      await add("ada", { id: "d1", cover: refOf(png) });
      await add("ada", { id: "d2", cover: refOf(png), shared: true });
      expect(await add("grace", { id: "g1", cover: refOf(png) })).toEqual(["blob/refused"]);
      expect(server.errors.map(({ kind }) => kind)).toEqual(["blob-read-auth-cap-hit", "mutation-error"]);
    });

    test("a push without new files asks nothing of blobs, and many files of one statement are asked about at once", async () => {
      await server.put("ada", png);
      await add("ada", { id: "d1", cover: refOf(png) });
      statements = [];
      await push("ada", ["setDoc", { id: "d1", shared: true }], ["addDoc", { id: "d2" }]);
      expect(statements.filter((text) => /_plasma_blob/.test(text))).toEqual([]);
      statements = [];
      await push("ada", ["addDoc", wire({ id: "d3", cover: refOf(png), scan: refOf(png) })]);
      expect(statements.filter((text) => /^SELECT.*_plasma_blob/.test(text)).length).toBe(1);
    });
  });
}
