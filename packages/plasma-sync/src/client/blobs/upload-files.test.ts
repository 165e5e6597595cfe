import { expect, test } from "vitest";
import { must } from "../../core/lib/assert.ts";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import type { FileToUpload } from "../sync/sync-replica.ts";
import { createBlobTransport } from "../transport/blob-transport.ts";
import { createMemoryLocalBlobs } from "./memory-local-blobs.ts";
import { runUploads } from "./upload-files.ts";

const hashOf = (letter: string) => letter.repeat(64);
const sizeBytes = 10;

/** Files that wait, a server that a test answers for, and what was told. */
async function world(letters: string, answer: (method: string, letter: string) => Response | Promise<Response>) {
  const env = createVirtualEnv();
  const blobs = createMemoryLocalBlobs(env);
  const files: FileToUpload[] = [];
  for (const letter of letters) {
    const hash = hashOf(letter);
    const write = blobs.write();
    await write.append(new TextEncoder().encode(letter.repeat(sizeBytes)));
    await write.finish(hash, { uploaded: false });
    files.push({ hash, args: { title: "t", cover: [{ $file: { hash, size: sizeBytes, mime: `image/${letter}` } }] } });
  }
  const told: string[] = [];
  const received: string[] = [];
  let running = 0;
  let runningMax = 0;
  const transport = createBlobTransport({
    endpoint: "http://server/sync",
    clientGroupID: "ada",
    env,
    clientID: () => "c1",
    authHeaders: () => ({ Authorization: "Bearer token" }),
    fetcher: async (request) => {
      const letter = must(/\/blob\/(\w)\w{63}$/.exec(request.url)?.[1], "test: a hash of one letter");
      runningMax = Math.max(runningMax, (running += 1));
      const body = request.method === "PUT" ? `${request.headers.get("Content-Type")} ${await request.text()}` : "";
      received.push(`${request.method} ${letter} ${body}`.trim());
      expect(request.headers.get("Authorization")).toBe("Bearer token");
      const response = await answer(request.method, letter);
      running -= 1;
      return response;
    },
  });
  const flight = new AbortController();
  const letterOf = (hash: string) => hash.slice(0, 1);
  const drop = (hash: string) => {
    const at = files.findIndex((file) => file.hash === hash);
    if (at >= 0) files.splice(at, 1);
  };
  const run = () =>
    runUploads(
      {
        replica: {
          filesToUpload: () => [...files],
          fileUploaded: (hash, atMs) => {
            drop(hash);
            told.push(`uploaded ${letterOf(hash)} ${atMs - env.now()}`);
          },
          fileLetGo: drop,
          fileRefused: async (hash, message) => {
            drop(hash);
            told.push(`refused ${letterOf(hash)}: ${message}`);
          },
        },
        blobs,
        transport,
        env,
        onReleased: (hash, isUploaded) => told.push(`${isUploaded ? "there" : "let go"} ${letterOf(hash)}`),
        onProgress: (hash, progress) =>
          told.push(`${letterOf(hash)} ${progress === null ? "-" : `${progress.loadedBytes}/${progress.totalBytes}`}`),
        onRefused: (hash, message) => told.push(`told ${letterOf(hash)}: ${message}`),
      },
      flight.signal,
    );
  return { run, told, received, blobs, files, flight, runningMax: () => runningMax };
}

const ok = () => new Response(null, { status: 204 });
const refusal = (status: number, code: string) => Response.json({ error: `No: ${code}`, code }, { status });

test("each file is sent whole under its type, noted on the device, and then released", async () => {
  const { run, told, received, blobs } = await world("a", ok);
  expect(await run()).toEqual({ count: 1, failed: null });
  expect(received).toEqual(["PUT a image/a aaaaaaaaaa"]);
  expect(told).toEqual(["a 0/10", "a 10/10", "uploaded a 0", "there a"]);
  expect((await blobs.info(hashOf("a")))?.uploaded).toBe(true);
});

test("the first files go first, a few at once", async () => {
  const { run, received, runningMax } = await world("abcdef", ok);
  expect((await run()).count).toBe(6);
  expect(received.map((line) => line.slice(4, 5)).join("")).toBe("abcdef");
  expect(runningMax()).toBe(limits.uploadsMax);
});

test("a failure that may pass ends the run and keeps the file; files under way end first", async () => {
  const { run, told, files } = await world("abcdef", (_method, letter) =>
    letter === "b" ? refusal(503, "server/retry") : ok(),
  );
  const { count, failed } = await run();
  expect([failed?.hash, failed?.failure.message]).toEqual([hashOf("b"), "No: server/retry"]);
  expect(count).toBeLessThan(6);
  expect(files.some(({ hash }) => hash === hashOf("b"))).toBe(true);
  expect(told).toContain("b -");
  expect(told.filter((line) => line.startsWith("refused"))).toEqual([]);
});

test.each([401, 408, 425, 429, 500, 503])("an answer of %s refuses nothing", async (status) => {
  const { run, told } = await world("a", () => refusal(status, "x"));
  expect((await run()).failed?.failure).toMatchObject({ kind: "http", status });
  expect(told.filter((line) => line.startsWith("refused"))).toEqual([]);
});

test("a 4xx refuses the file's mutations, tells once, and the other files go on", async () => {
  const { run, told, blobs } = await world("abc", (_method, letter) =>
    letter === "a" ? refusal(415, "blob/type") : ok(),
  );
  expect(await run()).toEqual({ count: 3, failed: null });
  expect(told.filter((line) => line.includes("a:"))).toEqual(["told a: No: blob/type", "refused a: No: blob/type"]);
  expect(told).toContain("let go a");
  expect(told).toContain("there c");
  expect((await blobs.info(hashOf("a")))?.uploaded).toBe(false);
});

test("a network failure keeps everything", async () => {
  const { run, files } = await world("ab", () => Promise.reject(new TypeError("offline")));
  expect(await run()).toMatchObject({ count: 0, failed: { failure: { kind: "network", message: "offline" } } });
  expect(files).toHaveLength(2);
});

test("what was uploaded before is asked for, and sent only when the server does not show it", async () => {
  const { run, received, blobs, told } = await world("ab", (method, letter) =>
    method === "HEAD" && letter === "b" ? refusal(404, "blob/not-found") : ok(),
  );
  for (const letter of "ab") await blobs.markUploaded(hashOf(letter));
  expect((await run()).count).toBe(2);
  expect(received.sort()).toEqual(["HEAD a", "HEAD b", "PUT b image/b bbbbbbbbbb"]);
  expect(told.filter((line) => line.startsWith("there"))).toHaveLength(2);
});

test("of what was uploaded once the server decides: a 4xx takes no mutation out here", async () => {
  const { run, blobs, told } = await world("a", () => refusal(413, "blob/too-large"));
  await blobs.markUploaded(hashOf("a"));
  expect((await run()).count).toBe(1);
  expect(told.at(-1)).toBe("let go a");
  expect(told, "the server is not known to have it").not.toContain("uploaded a 0");
  expect(told.filter((line) => /refused|told/.test(line))).toEqual([]);
});

test("bytes that are not here hold nothing: the mutation goes out, and the server decides", async () => {
  const { run, blobs, told, received } = await world("a", ok);
  await blobs.forget(hashOf("a"));
  expect(await run()).toEqual({ count: 1, failed: null });
  expect([received, told]).toEqual([[], ["let go a"]]);
});

test("after a stop nothing is told any more", async () => {
  const { run, told, flight, blobs } = await world("ab", async () => {
    flight.abort();
    return ok();
  });
  await run();
  expect(told.filter((line) => /there|let go|uploaded|refused/.test(line))).toEqual([]);
  expect((await blobs.info(hashOf("a")))?.uploaded).toBe(false);
});
