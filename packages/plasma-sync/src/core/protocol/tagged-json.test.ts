import { expect, test } from "vitest";
import { isPlasmaError } from "../error.ts";
import type { FileRef } from "../schema/value.ts";
import { decodeTagged, encodeTagged, isBlob, type FileTag } from "./tagged-json.ts";

const ref: FileRef = { hash: "a1".repeat(32), size: 3, mime: "text/plain", name: "a.txt" };

test("tags of all files are handed over, and what is put into them is what the args hold", () => {
  const blob = new Blob(["abc"]);
  const files: FileTag[] = [];
  const encoded = encodeTagged({ a: blob, list: [{ b: ref }, blob], $odd: blob, n: 1n }, "add", files);
  expect(files.map(({ $file }) => isBlob($file))).toEqual([true, false, true, true]);
  for (const tag of files) tag.$file = ref;
  expect(encoded).toEqual({
    a: { $file: ref },
    list: [{ b: { $file: ref } }, { $file: ref }],
    $$odd: { $file: ref },
    n: { $bigint: "1" },
  });
  expect(decodeTagged(JSON.parse(JSON.stringify(encoded)))).toEqual({
    a: ref,
    list: [{ b: ref }, ref],
    $odd: ref,
    n: 1n,
  });
});

test("a FileRef is copied: what the app does to its own later changes nothing", () => {
  const own = { ...ref };
  const encoded = encodeTagged({ own }, "add");
  (own as { name: string }).name = "b.txt";
  expect(encoded).toEqual({ own: { $file: ref } });
});

test.each([
  ["a Blob where nobody takes it in", () => encodeTagged({ a: [new Blob([])] }, "add"), "args.a.0"],
  ["a Date, files or not", () => encodeTagged({ a: new Date(0) }, "add", []), "args.a"],
  ["a Map, files or not", () => encodeTagged({ a: new Map() }, "add", []), "args.a"],
])("%s is refused with its place", (_what, encode, path) => {
  let thrown: unknown = null;
  try {
    encode();
  } catch (error) {
    thrown = error;
  }
  expect(isPlasmaError(thrown, "mutation/args-value") && thrown.data.path).toBe(path);
});
