import { expect, test } from "vitest";
import { PlasmaError } from "../../core/error.ts";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import { FileTransfers, type FileTransfersDeps } from "./file-transfers.ts";
import type { SyncReplica } from "../sync/sync-replica.ts";
import { createBlobTransport } from "../transport/blob-transport.ts";
import { createMemoryLocalBlobs } from "./memory-local-blobs.ts";

const ref = { hash: "a".repeat(64), size: 3, mime: "text/plain" };

/** The transfers of a tab that follows, with one file that is only here; what a watcher saw. */
async function following(onRead = () => undefined as void, leading: Partial<FileTransfersDeps> = {}) {
  const env = createVirtualEnv();
  const blobs = createMemoryLocalBlobs(env);
  const write = blobs.write();
  await write.append(new Uint8Array([1, 2, 3]));
  await write.finish(ref.hash, { uploaded: false });
  const read = blobs.read.bind(blobs);
  blobs.read = async (hash) => {
    onRead();
    return read(hash);
  };
  const transfers = new FileTransfers({
    files: { blobs, touched: () => undefined },
    transport: null,
    env,
    onProgress: undefined,
    post: () => expect.fail("a tab that follows tells nothing"),
    report: () => undefined,
    ...leading,
  });
  const seen: string[] = [];
  transfers.watch(ref, (state) => seen.push(state.status));
  await env.advance(0);
  const hear = (loadedBytes: number | null, uploaded = false) =>
    transfers.receive({
      hash: ref.hash,
      progress: loadedBytes === null ? null : { loadedBytes, totalBytes: 3 },
      uploaded,
    });
  return { env, transfers, seen, hear };
}

test("a watcher in another tab sees an upload begin and end", async () => {
  const { seen, hear, transfers } = await following();
  hear(0);
  expect((await transfers.read(ref)).status).toBe("uploading");
  hear(3);
  hear(null, true);
  expect(seen).toEqual(["local", "uploading", "uploading", "ready"]);
});

test("an upload of which nothing more is heard is over: its tab has died", async () => {
  const { env, seen, hear, transfers } = await following();
  hear(0);
  await env.advance(limits.fileSilenceMs - 1);
  hear(1);
  await env.advance(limits.fileSilenceMs - 1);
  expect(seen.at(-1)).toBe("uploading");
  await env.advance(1);
  expect(seen.at(-1)).toBe("local");
  expect((await transfers.read(ref)).status).toBe("local");
});

test("an upload that another tab has begun and this one takes over goes on, whatever is not heard of that tab", async () => {
  const put = Promise.withResolvers<Response>();
  const env = createVirtualEnv();
  const transport = createBlobTransport({
    endpoint: "http://server/sync",
    clientGroupID: "ada",
    env,
    clientID: () => "c",
    fetcher: () => put.promise,
    authHeaders: undefined,
  });
  const { seen, hear, transfers } = await following(undefined, { transport, env, post: () => undefined });
  hear(1);
  let isThere = false;
  const replica: Pick<SyncReplica, "filesToUpload" | "fileUploaded"> = {
    filesToUpload: () => (isThere ? [] : [{ hash: ref.hash, args: null }]),
    fileUploaded: () => {
      isThere = true;
    },
  };
  const { signal } = new AbortController();
  const done = transfers.upload(replica as SyncReplica, { signal, onReleased: () => undefined });
  await env.advance(limits.fileSilenceMs);
  expect(seen.at(-1)).toBe("uploading");
  put.resolve(new Response(null, { status: 204 }));
  await env.advance(0);
  await done;
  expect(seen.at(-1)).toBe("ready");
});

test("what is not here is missing in an offline client", async () => {
  const { transfers } = await following();
  expect(await transfers.read({ ...ref, hash: "b".repeat(64) })).toEqual({ status: "missing" });
});

test("a local database that fails is told to the watcher, and asked again", async () => {
  let isBroken = true;
  const { env, seen } = await following(() => {
    if (isBroken) throw new PlasmaError("client/storage", { what: "the disk is gone" });
  });
  expect(seen).toEqual(["error"]);
  isBroken = false;
  await env.advance(limits.downloadRetry.initialDelayMs);
  expect(seen).toEqual(["error", "local"]);
});

test.each([
  ["a hash", ref.hash],
  ["null", null],
  ["a Blob", new Blob()],
  ["a row", { id: "1", image: ref }],
])("%s is no FileRef, and readFile and watchFile say so", async (_what, given) => {
  const { transfers } = await following();
  const why = /"ref" is not what a row's file\(\) column holds: { hash, size, mime }/;
  await expect(transfers.read(given as never)).rejects.toThrow(why);
  expect(() => transfers.watch(given as never, () => undefined)).toThrow(why);
});
