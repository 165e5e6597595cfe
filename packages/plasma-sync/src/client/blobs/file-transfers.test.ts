import { expect, test } from "vitest";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import { FileTransfers } from "./file-transfers.ts";
import { createMemoryLocalBlobs } from "./memory-local-blobs.ts";

const ref = { hash: "a".repeat(64), size: 3, mime: "text/plain" };

/** The transfers of a tab that follows, with one file that is only here; what a watcher saw. */
async function following() {
  const env = createVirtualEnv();
  const blobs = createMemoryLocalBlobs(env);
  const write = blobs.write();
  await write.append(new Uint8Array([1, 2, 3]));
  await write.finish(ref.hash, { uploaded: false });
  const transfers = new FileTransfers({
    files: { blobs, touched: () => undefined },
    transport: null,
    env,
    onProgress: undefined,
    post: () => expect.fail("a tab that follows tells nothing"),
    report: () => undefined,
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

test("what is not here is missing in an offline client", async () => {
  const { transfers } = await following();
  expect(await transfers.read({ ...ref, hash: "b".repeat(64) })).toEqual({ status: "missing" });
});
