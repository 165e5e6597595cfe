import { describe, expect, test } from "vitest";
import { isPlasmaError } from "../error.ts";
import { toBase64 } from "../lib/base64.ts";
import * as limits from "../limits.ts";
import { id } from "./column.ts";
import { file } from "./file-column.ts";
import { completeInsert, mergeUpdate } from "./complete-row.ts";
import type { FileOptions } from "./file-policy.ts";
import { metaOf, table } from "./table.ts";
import type { FileRef, Row, Value } from "./value.ts";

const HASH = "a1".repeat(32);
const OTHER = "b2".repeat(32);
const png: FileRef = { hash: HASH, size: 10, mime: "image/png" };
const inlineOf = (size: number) => toBase64(new Uint8Array(size));

const metaWith = (options: FileOptions = {}) => metaOf(table("notes", { id: id(), cover: file(options).nullable() }));
const rowWith = (cover: unknown): Row => ({ id: "n", cover: cover as Value });

/** "stored", or the code and text of the refusal. */
function outcome(write: () => unknown): string {
  try {
    write();
    return "stored";
  } catch (error) {
    return isPlasmaError(error) ? `${error.code}: ${error.text}` : String(error);
  }
}
const insert = (cover: unknown, options?: FileOptions) =>
  outcome(() => completeInsert(metaWith(options), { id: "n", cover }, () => "n"));
const update = (before: FileRef | null, cover: unknown, options?: FileOptions) =>
  outcome(() => mergeUpdate(metaWith(options), rowWith(before), { cover }));

describe("the shape of a FileRef", () => {
  test.each([
    ["the least", png],
    ["an empty file", { ...png, size: 0 }],
    ["a name with spaces, dots and other alphabets", { ...png, name: "Übersicht (2) — été.final.tar.gz" }],
    ["the longest name", { ...png, name: "x".repeat(limits.fileNameCharsMax) }],
    ["a vendor's type", { ...png, mime: "application/vnd.oasis.opendocument.text-template+xml" }],
    ["the largest size", { ...png, size: Number.MAX_SAFE_INTEGER }],
  ])("takes %s", (_what, ref) => expect(insert(ref)).toBe("stored"));

  test.each([
    ["a text", HASH],
    ["a number", 5],
    ["an array", [png]],
    ["another object", { url: "/x.png" }],
    ["no hash", { size: 1, mime: "image/png" }],
    ["a short hash", { ...png, hash: HASH.slice(1) }],
    ["a hash in capitals", { ...png, hash: HASH.toUpperCase() }],
    ["a hash that is a path", { ...png, hash: `../${"a".repeat(61)}` }],
    ["a hash with a line break", { ...png, hash: `${HASH.slice(1)}\n` }],
    ["a hash and a line break", { ...png, hash: `${HASH}\n` }],
    ["a negative size", { ...png, size: -1 }],
    ["a fraction", { ...png, size: 1.5 }],
    ["an unsafe size", { ...png, size: 2 ** 53 }],
    ["a size as text", { ...png, size: "10" }],
    ["no type", { hash: HASH, size: 1 }],
    ["an empty type", { ...png, mime: "" }],
    ["a type that is none", { ...png, mime: "image" }],
    ["a type with a wildcard", { ...png, mime: "image/*" }],
    ["a type with parameters", { ...png, mime: "text/html;charset=utf-8" }],
    ["a type that breaks a header", { ...png, mime: "text/html\r\nX-Evil: 1" }],
    ["a type in capitals", { ...png, mime: "Image/PNG" }],
    ["an endless type", { ...png, mime: `image/${"x".repeat(200)}` }],
    ["an empty name", { ...png, name: "" }],
    ["a name that is a path", { ...png, name: "../../etc/passwd" }],
    ["a name with a backslash", { ...png, name: "..\\x" }],
    ["the name of a folder", { ...png, name: ".." }],
    ["a name with a line break", { ...png, name: "a\nb" }],
    ["a name with U+0000", { ...png, name: "a\0" }],
    ["a name with half a character", { ...png, name: "\ud800" }],
    ["an endless name", { ...png, name: "x".repeat(limits.fileNameCharsMax + 1) }],
    ["a further key", { ...png, url: "https://example.com" }],
  ])("refuses %s", (_what, ref) => {
    expect(insert(ref)).toMatch(/^data\/invalid: "notes.cover" takes a FileRef/);
    expect(update(null, ref)).toMatch(/^data\/invalid/);
  });

  test.each([
    ["a Uint8Array", new Uint8Array(3)],
    ["a Blob", new Blob(["x"])],
    ["a File", new File(["x"], "x.txt")],
  ])("refuses %s, and says where it belongs", (what, bytes) => {
    expect(insert(bytes)).toMatch(/give mutate the File, or new Blob\(\[bytes\]\)/);
    expect(insert(bytes)).toContain(`but got ${what === "a File" ? "a File" : what}`);
  });

  test("a default is a FileRef too", () => {
    const define = () => table("t", { id: id(), f: file().default({ hash: "x", size: 1, mime: "a/b" }) });
    expect(outcome(define)).toMatch(/^schema\/default: .*FileRef/);
    expect(outcome(() => table("t", { id: id(), f: file().default(png) }))).toBe("stored");
  });
});

describe("the options of a file column", () => {
  test("maxSize is the largest size taken", () => {
    expect(insert({ ...png, size: 10 }, { maxSize: 10 })).toBe("stored");
    expect(insert({ ...png, size: 11 }, { maxSize: 10 })).toBe(
      'blob/refused: The file for "notes.cover" was refused: it has 11 bytes; at most 10 are allowed.',
    );
    expect(update(null, { ...png, size: 11 }, { maxSize: 10 })).toMatch(/^blob\/refused/);
  });

  test.each([
    ["image/png", true],
    ["image/svg+xml", true],
    ["application/pdf", true],
    ["imagery/png", false],
    ["application/pdfx", false],
    ["text/html", false],
  ])("of image/* and application/pdf, %s is %s", (mime, isTaken) => {
    const result = insert({ ...png, mime }, { mimeAllowList: ["image/*", "application/pdf"] });
    expect(result).toMatch(
      isTaken ? /^stored$/ : /^blob\/refused: .* its type is .*; allowed are image\/\*, application\/pdf/,
    );
  });

  test("bytes ride inside the ref below inlineThreshold only, and are as many as it says", () => {
    const inlined = (size: number, bytes = size) => ({ ...png, size, inline: inlineOf(bytes) });
    for (const size of [0, 1, 2, 3, 4, 99]) expect(insert(inlined(size), { inlineThreshold: 100 })).toBe("stored");
    expect(insert(inlined(100), { inlineThreshold: 100 })).toMatch(/^blob\/refused: .* fewer than 100/);
    expect(insert(inlined(1))).toMatch(/^blob\/refused/);
    expect(insert(inlined(5, 6), { inlineThreshold: 100 })).toMatch(/^data\/invalid/);
    expect(insert({ ...png, inline: "not base64!" }, { inlineThreshold: 100 })).toMatch(/^data\/invalid/);
    // Below the threshold nothing must be inside.
    expect(insert(png, { inlineThreshold: 100 })).toBe("stored");
  });
});

describe("an immutable file", () => {
  test("is set from null, renamed and cleared, but not replaced", () => {
    expect(update(null, png)).toBe("stored");
    expect(update(png, { ...png, name: "new.png" })).toBe("stored");
    expect(update(png, null)).toBe("stored");
    expect(update(png, png)).toBe("stored");
    expect(update(png, { ...png, hash: OTHER })).toMatch(/^blob\/refused: .* file\(\{ immutable: false \}\)/);
  });

  test("may be replaced where the column says so", () => {
    expect(update(png, { ...png, hash: OTHER }, { immutable: false })).toBe("stored");
  });

  test("keeps its size: the same bytes have no other", () => {
    expect(update(png, { ...png, size: 11 }, { immutable: false })).toMatch(/^blob\/refused: .* another size/);
  });
});
