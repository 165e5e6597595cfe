// Owns: what a watched file makes of news that come while it is being read.

import { expect, test } from "vitest";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import type { FileContent, FileState, TransferProgress } from "./file-content.ts";
import { WatchedFile } from "./watched-file.ts";

const ref = { hash: "a".repeat(64), size: 3, mime: "image/png" };
const foundAs = (status: "local" | "uploading"): FileContent => ({
  status,
  bytes: new Blob(["abc"]),
  mime: "image/png",
});

/** A file whose read ends when the test says so. */
function watch() {
  const env = createVirtualEnv();
  const read = Promise.withResolvers<FileContent>();
  const states: FileState["status"][] = [];
  let upload: TransferProgress | null = null;
  const file = new WatchedFile({ ref, env, read: () => read.promise, upload: () => upload, onIdle: () => undefined });
  file.add(({ status }) => states.push(status));
  const news = (progress: TransferProgress | null, uploaded: boolean) => {
    upload = progress;
    file.uploadChanged(progress, uploaded);
  };
  const end = async (content: FileContent) => {
    read.resolve(content);
    await env.advance(0);
    return states;
  };
  return { news, end };
}

test.each(["local", "uploading"] as const)("what was read as %s and has arrived meanwhile is ready", async (status) => {
  const { news, end } = watch();
  news({ loadedBytes: 3, totalBytes: 3 }, false);
  news(null, true);
  expect(await end(foundAs(status))).toEqual(["ready"]);
});

test("what was read as on its way, and is given up meanwhile, is only here", async () => {
  const { news, end } = watch();
  news({ loadedBytes: 0, totalBytes: 3 }, false);
  news(null, false);
  expect(await end(foundAs("uploading"))).toEqual(["local"]);
});

test("what was read before its upload began shows it", async () => {
  const { news, end } = watch();
  news({ loadedBytes: 1, totalBytes: 3 }, false);
  expect(await end(foundAs("local"))).toEqual(["uploading"]);
});
