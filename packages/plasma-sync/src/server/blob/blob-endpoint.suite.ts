// Owns: what `{basePath}/blob/:sha256` owes, on every pair of database and store.

import { beforeEach, describe, expect, test } from "vitest";
import * as limits from "../../core/limits.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { BlobServer, docs, pages, refOf } from "./blob-server.fixture.ts";
import { bytesOf, hashOfBytes, streamOfBytes } from "./blob-store.suite.ts";
import type { BlobStore } from "./blob-store.ts";

const png = bytesOf(100_000);
const hash = hashOfBytes(png);

export function blobEndpointSuite(
  name: string,
  open: () => Promise<{ readonly executor: SqlExecutor; readonly store: BlobStore }>,
): void {
  describe(`blob endpoint: ${name}`, () => {
    let server: BlobServer;
    let opened: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => {
      opened = await open();
      server = new BlobServer(opened.executor, opened.store);
    });

    /** Ada has sent the bytes and has a doc with them; Grace has not. */
    const adaHasDoc = async () => {
      expect((await server.put("ada", png)).status).toBe(204);
      await (await server.db()).insert(docs).values({ id: "d1", ownerId: "ada", cover: refOf(png) });
    };
    const bodyOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());
    const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

    test("gives to the reader of a row what was sent, and to nobody else", async () => {
      await adaHasDoc();
      const response = await server.fetch("ada", hash);
      expect(response.status).toBe(200);
      expect(hashOfBytes(await bodyOf(response))).toBe(hash);
      expect(response.headers.get("content-length")).toBe("100000");
      expect(response.headers.get("content-type")).toBe("image/png");
      expect(await server.statusOf("grace", hash)).toBe(404);
      expect(server.metrics.map(({ type, status }) => `${type} ${status}`)).toEqual([
        "blob-put 204",
        "blob-get 200",
        "blob-get 404",
      ]);
    });

    test("to a stranger a hash that is there and one that is not are the same, in GET and in HEAD", async () => {
      await adaHasDoc();
      for (const method of ["GET", "HEAD"]) {
        const answers = [];
        for (const asked of [hash, "0".repeat(64)]) {
          const response = await server.fetch("grace", asked, {}, method);
          answers.push([response.status, await response.text(), [...response.headers]]);
        }
        expect(answers[0]).toEqual(answers[1]);
        expect(answers[0]![0]).toBe(404);
      }
      const [one, two] = [
        await server.fetch("grace", hash, { "if-none-match": "*" }),
        await server.put("grace", bytesOf(5), { hash }),
      ];
      expect([one.status, two.status, await codeOf(two)]).toEqual([404, 400, "blob/hash-mismatch"]);
      expect(await server.statusOf("grace", hash)).toBe(404);
    });

    test("who has sent the bytes reads them only by a row", async () => {
      await server.put("ada", png);
      expect(await server.statusOf("ada", hash)).toBe(404);
    });

    test("rights follow the row: shared, hidden, deleted, given another file", async () => {
      await adaHasDoc();
      const db = await server.db();
      await db.update(docs).set({ shared: true }).all();
      expect(await server.statusOf("grace", hash)).toBe(200);
      await db.update(docs).set({ shared: false }).all();
      expect(await server.statusOf("grace", hash)).toBe(404);
      await db.update(docs).set({ shared: true, cover: null }).all();
      expect(await server.statusOf("grace", hash)).toBe(404);
      await db
        .update(docs)
        .set({ cover: refOf(png) })
        .all();
      expect(await server.statusOf("grace", hash, "HEAD")).toBe(200);
      await db.delete(docs).all();
      expect(await server.statusOf("ada", hash)).toBe(404);
    });

    test("a rule that looks into other tables decides too", async () => {
      await server.put("ada", png);
      const db = await server.db();
      await db.insert(docs).values({ id: "d1", ownerId: "ada" });
      await db.insert(pages).values({ id: "p1", docId: "d1", image: refOf(png) });
      expect(await server.statusOf("ada", hash)).toBe(200);
      expect(await server.statusOf("grace", hash)).toBe(404);
      await db.update(docs).set({ shared: true }).all();
      expect(await server.statusOf("grace", hash)).toBe(200);
    });

    test("asks so many rows and no more, and tells when that decided", async () => {
      server = new BlobServer(opened.executor, opened.store, { readAuthMaxRefs: 3 });
      await server.put("ada", png);
      const db = await server.db();
      for (const docID of ["a", "b", "c"])
        await db.insert(docs).values({ id: docID, ownerId: "ada", cover: refOf(png) });
      expect(await server.statusOf("grace", hash)).toBe(404);
      expect(server.errors.map(({ kind }) => kind)).toEqual(["blob-not-found"]);
      await db.insert(docs).values({ id: "d", ownerId: "grace", cover: refOf(png) });
      expect(await server.statusOf("ada", hash)).toBe(200);
      expect(await server.statusOf("grace", hash)).toBe(404);
      expect(server.errors.map(({ kind }) => kind).slice(1)).toEqual(["blob-read-auth-cap-hit", "blob-not-found"]);
    });

    test("the same bytes may be sent again, by anybody: there is one blob, and both have sent it", async () => {
      for (const user of ["ada", "grace", "ada"]) expect((await server.put(user, png)).status).toBe(204);
      expect((await server.keys()).length).toBe(1);
      expect((await server.rowsOf("_plasma_blob_uploads")).length).toBe(2);
      expect(await server.rowsOf("_plasma_blob_loose")).toEqual([]);
    });

    test("many who send the same bytes at once leave one blob", async () => {
      const users = ["ada", "grace", "alan", "edsger", "ada"];
      await server.db();
      const responses = await Promise.all(users.map((user) => server.put(user, png)));
      expect(responses.map(({ status }) => status)).toEqual(users.map(() => 204));
      expect((await server.keys()).length).toBe(1);
      expect(await server.rowsOf("_plasma_blob_loose")).toEqual([]);
    });

    test("bytes that a store has lost come back when they are sent again", async () => {
      await adaHasDoc();
      await server.store.delete(await server.keys());
      expect(await server.statusOf("ada", hash)).toBe(404);
      expect((await server.put("grace", png)).status).toBe(204);
      expect(await server.statusOf("ada", hash)).toBe(200);
      expect(await server.rowsOf("_plasma_blob_loose")).toEqual([]);
    });

    describe("refuses, and keeps nothing of", () => {
      const nothingKept = async () => {
        expect(await server.keys()).toEqual([]);
        for (const of of ["_plasma_blobs", "_plasma_blob_uploads", "_plasma_blob_loose"])
          expect(await server.rowsOf(of)).toEqual([]);
      };
      const endless = () =>
        new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });

      test("bytes with another hash", async () => {
        const response = await server.put("ada", png, { hash: hashOfBytes(bytesOf(3)) });
        expect([response.status, await codeOf(response)]).toEqual([400, "blob/hash-mismatch"]);
        expect(server.errors.map(({ kind }) => kind)).toEqual(["blob-hash-mismatch"]);
        await nothingKept();
      });

      test("a body that is not as long as it says, or breaks off", async () => {
        for (const body of [streamOfBytes(png.slice(0, 50_000)), streamOfBytes(bytesOf(100_001)), endless()]) {
          const response = await server.put("ada", png, { body });
          expect([response.status, await codeOf(response)]).toEqual([408, "blob/interrupted"]);
        }
        const cut = streamOfBytes(png.slice(0, 50_000), (controller) => controller.error(new RangeError("cut")));
        expect((await server.put("ada", png, { body: cut })).status).toBe(408);
        await nothingKept();
      });

      test("more than any file column takes, before a byte of it is read", async () => {
        server = new BlobServer(opened.executor, opened.store, { maxBlobBytes: 1000 });
        await server.db();
        let reads = 0;
        const body = new ReadableStream<Uint8Array>(
          { pull: (controller) => ((reads += 1), controller.enqueue(new Uint8Array(1000))) },
          { highWaterMark: 0 },
        );
        const response = await server.put("ada", png, { body });
        expect([response.status, await codeOf(response)]).toEqual([413, "blob/too-large"]);
        expect(reads).toBe(0);
        await nothingKept();
      });

      test("an endless body that does not say how long it is", async () => {
        await server.db();
        const request = new Request(`http://server/sync/blob/${hash}`, {
          method: "PUT",
          body: endless(),
          headers: { "x-user": "ada", "content-type": "image/png" },
          duplex: "half",
        } as RequestInit);
        const response = await server.handle(request);
        expect([response.status, await codeOf(response)]).toEqual([411, "blob/length"]);
        await nothingKept();
      });

      test.each([
        "",
        "abc",
        "A".repeat(64),
        `${"a".repeat(63)}g`,
        `${"a".repeat(64)}a`,
        `${"a".repeat(64)}.0000000000000000`,
      ])("a hash that is none: %j", async (text) => {
        await server.db();
        expect((await server.put("ada", png, { hash: text })).status).toBe(400);
        expect(await server.statusOf("ada", text)).toBe(400);
        await nothingKept();
      });

      test.each([
        ["content-length", "x"],
        ["content-length", "-1"],
        ["content-length", "1e3"],
        ["content-encoding", "gzip"],
      ])("a request with %s: %s", async (header, value) => {
        await server.db();
        expect((await server.put("ada", png, { headers: { [header]: value } })).status).toBe(400);
        await nothingKept();
      });

      test("anything of somebody who is not signed in", async () => {
        await server.db();
        expect((await server.put("", png)).status).toBe(401);
        expect(await server.statusOf("", hash)).toBe(401);
        await nothingKept();
      });
    });

    test("a store that fails is answered 503; the key stays known, so that nothing can be lost", async () => {
      const failing = { ...opened.store, put: () => Promise.reject(new RangeError("the disk is full")) };
      server = new BlobServer(opened.executor, failing);
      const response = await server.put("ada", png);
      expect([response.status, await codeOf(response)]).toEqual([503, "blob/upload-failed"]);
      expect(server.errors.map(({ kind }) => kind)).toEqual(["blob-upload-failed-server"]);
      expect((await server.rowsOf("_plasma_blob_loose")).length).toBe(1);
      expect(await server.rowsOf("_plasma_blobs")).toEqual([]);
    });

    test("more uploads at once than one group may have are answered 429", async () => {
      await server.db();
      const gate = Promise.withResolvers<void>();
      const held = () =>
        new ReadableStream<Uint8Array>({
          pull: async (controller) => {
            await gate.promise;
            controller.enqueue(png);
            controller.close();
          },
        });
      const many = Array.from({ length: limits.blobUploadsPerGroupMax }, () =>
        server.put("ada", png, { body: held() }),
      );
      const over = await server.put("ada", png);
      expect([over.status, over.headers.get("retry-after")]).toEqual([429, "2"]);
      expect((await server.put("grace", png)).status).toBe(204);
      gate.resolve();
      for (const response of await Promise.all(many)) expect(response.status).toBe(204);
      expect((await server.put("ada", png)).status).toBe(204);
    });

    test("an empty file is a file", async () => {
      const empty = new Uint8Array();
      expect((await server.put("ada", empty)).status).toBe(204);
      await (await server.db()).insert(docs).values({ id: "d1", ownerId: "ada", cover: refOf(empty) });
      const response = await server.fetch("ada", hashOfBytes(empty));
      expect([response.status, (await bodyOf(response)).length]).toEqual([200, 0]);
      expect((await server.fetch("ada", hashOfBytes(empty), { range: "bytes=0-" })).status).toBe(416);
    });

    describe("parts", () => {
      test.each([
        ["bytes=0-0", 0, 1],
        ["bytes=0-", 0, 100_000],
        ["bytes=99990-", 99_990, 10],
        ["bytes=99990-999999", 99_990, 10],
        ["bytes=-7", 99_993, 7],
        ["bytes=-999999", 0, 100_000],
      ])("%s", async (range, offset, length) => {
        await adaHasDoc();
        const response = await server.fetch("ada", hash, { range });
        expect(response.status).toBe(206);
        expect(response.headers.get("content-range")).toBe(`bytes ${offset}-${offset + length - 1}/100000`);
        expect(response.headers.get("content-length")).toBe(String(length));
        expect(hashOfBytes(await bodyOf(response))).toBe(hashOfBytes(png.slice(offset, offset + length)));
      });

      test.each(["bytes=100000-", "bytes=-0", "bytes=200000-200001"])("%s is beyond the file", async (range) => {
        await adaHasDoc();
        const response = await server.fetch("ada", hash, { range });
        expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */100000"]);
        expect(await server.statusOf("grace", hash)).toBe(404);
      });

      test.each(["bytes=5-4", "bytes=-", "bytes=a-b", "rows=1-2", "bytes=0-1,5-6", "bytes=0-1 "])(
        "%s is answered as the standard says",
        async (range) => {
          await adaHasDoc();
          const response = await server.fetch("ada", hash, { range });
          expect(response.status).toBe(range.trim() === "bytes=0-1" ? 206 : 200);
          await response.body?.cancel();
        },
      );

      test("a part of another content is not asked for", async () => {
        await adaHasDoc();
        const ask = async (etag: string) => {
          const response = await server.fetch("ada", hash, { range: "bytes=0-1", "if-range": etag });
          await response.body?.cancel();
          return response.status;
        };
        expect([await ask(`"${hash}"`), await ask(`"other"`)]).toEqual([206, 200]);
      });
    });

    test("who has the content already is answered 304, after the rights were looked at", async () => {
      await adaHasDoc();
      for (const tag of [`"${hash}"`, `"x", W/"${hash}"`, "*"])
        expect((await server.fetch("ada", hash, { "if-none-match": tag })).status).toBe(304);
      const other = await server.fetch("ada", hash, { "if-none-match": `"x"` });
      expect([other.status, (await bodyOf(other)).length]).toEqual([200, 100_000]);
      expect((await server.fetch("grace", hash, { "if-none-match": `"${hash}"` })).status).toBe(404);
    });

    test("HEAD tells what GET would, without the bytes", async () => {
      await adaHasDoc();
      const head = await server.fetch("ada", hash, {}, "HEAD");
      const get = await server.fetch("ada", hash);
      expect([...head.headers]).toEqual([...get.headers]);
      expect(await head.text()).toBe("");
      await get.body?.cancel();
    });

    test.each([
      ["image/png", "image/png", "inline"],
      ["image/svg+xml", "application/octet-stream", "attachment"],
      ["text/html", "application/octet-stream", "attachment"],
      ["application/pdf", "application/octet-stream", "attachment"],
    ])("a file of type %s is answered as %s, %s", async (mime, type, disposition) => {
      await server.put("ada", png, { mime: "text/html" });
      const file = refOf(png, { mime, name: `Ü "x"; a='b'.svg` });
      await (await server.db()).insert(pages).values({ id: "p1", docId: "d1", image: file });
      await (await server.db()).insert(docs).values({ id: "d1", ownerId: "ada" });
      const { headers, body } = await server.fetch("ada", hash);
      await body?.cancel();
      expect(headers.get("content-type")).toBe(type);
      expect(headers.get("content-disposition")).toBe(
        `${disposition}; filename*=UTF-8''%C3%9C%20%22x%22%3B%20a%3D%27b%27.svg`,
      );
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
      expect(headers.get("cache-control")).toBe("private, max-age=3600, immutable");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("etag")).toBe(`"${hash}"`);
    });

    test("a bad upload is told from one that cannot be sent by other methods", async () => {
      for (const method of ["POST", "DELETE", "PATCH"]) {
        const response = await server.fetch("ada", hash, {}, method);
        expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, PUT"]);
      }
    });
  });
}
