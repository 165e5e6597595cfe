// A file from another frame or window (drag and drop into a picture-in-picture window, an embedded picker) has another class.
import { expect, test } from "vitest";
import { factsOf } from "./file-facts.ts";
import { takeInFile } from "./take-in-file.ts";
import { hashOf } from "./local-blobs.suite.ts";
import { createMemoryLocalBlobs } from "./memory-local-blobs.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { encodeTagged, isBlob, type FileTag } from "../../core/protocol/tagged-json.ts";

test("a file of another frame is taken like one of the page's own", async () => {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const { File: ForeignFile } = frame.contentWindow as unknown as typeof globalThis;
  const foreign = new ForeignFile(["from afar"], "afar.txt", { type: "text/plain" });
  expect(foreign instanceof Blob).toBe(false);
  const files: FileTag[] = [];
  encodeTagged({ foreign }, "add", files);
  expect(files.map(({ $file }) => isBlob($file))).toEqual([true]);
  expect(factsOf(foreign)).toEqual({ size: 9, mime: "text/plain", name: "afar.txt" });
  const hash = await takeInFile(createMemoryLocalBlobs(systemEnv), foreign);
  expect(hash).toBe(await hashOf(new TextEncoder().encode("from afar")));
  frame.remove();
});
