// Owns: what a file() column takes: the shape of a FileRef, and the column's options.
// Invariants:
//   1. A ref that is stored cannot be used for a path or a header: hash, MIME type and name have strict forms.
//   2. The same ref is taken or refused on both sides; what needs the bytes or the server's records is the server's affair.
// Columns carry these rules (`def.file.rules`), so that an app without file() does not load them.

import { PlasmaError } from "../error.ts";
import { isStorableText } from "../lib/utf8.ts";
import * as limits from "../limits.ts";
import type { FileRef, Value } from "./value.ts";

export interface FileOptions {
  /**
   * A row's file may be set from null, renamed and cleared, but not replaced by other bytes. Default true. Clearing and then
   * setting are two writes that say what they mean; what this refuses is a file that changes beneath its readers.
   */
  readonly immutable?: boolean;
  /** Bytes. Refused before the file is hashed, at the write, and on the server. Default: the server's bound. */
  readonly maxSize?: number;
  /** Accepted MIME types in lower case, such as "image/png" or "image/*". Default: all. */
  readonly mimeAllowList?: readonly string[];
  /** Only "proxy" (through the sync server) exists. */
  readonly upload?: "proxy";
  /**
   * Files of fewer bytes ride inside the FileRef and are not uploaded. `mutate` cannot see which column a file is for, so the
   * smallest threshold of the schema's file columns decides. Bytes, at most 65 536. Default 0: none.
   */
  readonly inlineThreshold?: number;
}

/** A file column's options and what checks them. */
export interface FilePolicy extends FileOptions {
  readonly rules: FileRules;
}

export interface FileRules {
  /** What is wrong with the options, else null. */
  readonly optionProblem: (options: FileOptions) => { readonly option: string; readonly why: string } | null;
  /** What the column takes, when `value` is no FileRef; else null. */
  readonly expectation: (value: unknown) => string | null;
  /** Throws `blob/refused` when the options do not allow `ref` in the place of `before`. */
  readonly check: (column: FileColumn, ref: FileRef, before: Value) => void;
}

interface FileColumn {
  readonly table: string;
  readonly name: string;
  readonly file: FileOptions | undefined;
}

export const fileRules: FileRules = { optionProblem, expectation, check };

const TYPE = "[a-z0-9][a-z0-9!#$&^_.+-]{0,126}";
const mimePattern = new RegExp(`^${TYPE}/${TYPE}$`);
const allowPattern = new RegExp(`^${TYPE}/(?:${TYPE}|\\*)$`);
const refKeys = new Set(["hash", "size", "mime", "name", "inline"]);

function optionProblem({ maxSize, mimeAllowList, inlineThreshold = 0 }: FileOptions) {
  if (maxSize !== undefined && !(Number.isSafeInteger(maxSize) && maxSize > 0))
    return { option: "maxSize", why: "is a whole number of bytes above 0" };
  const isAllowed = (mime: unknown) => typeof mime === "string" && allowPattern.test(mime);
  if (mimeAllowList !== undefined && !(mimeAllowList.length > 0 && mimeAllowList.every(isAllowed)))
    return { option: "mimeAllowList", why: 'holds types in lower case, such as "image/png" or "image/*"' };
  const max = limits.fileInlineBytesMax;
  if (!(Number.isSafeInteger(inlineThreshold) && inlineThreshold >= 0 && inlineThreshold <= max))
    return { option: "inlineThreshold", why: `is a whole number of bytes from 0 to ${max}` };
  return null;
}

function expectation(value: unknown): string | null {
  if (value instanceof Uint8Array || value instanceof Blob)
    return "a FileRef: give mutate the File, or new Blob([bytes]), and it puts a FileRef into the args";
  if (typeof value !== "object" || value === null) return "a FileRef";
  const { hash, size, mime, name, inline } = value as Partial<Record<keyof FileRef, unknown>>;
  if (!Object.keys(value).every((key) => refKeys.has(key)))
    return "a FileRef of hash, size, mime, name and inline only";
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash))
    return "a FileRef whose hash is 64 lower-case hex digits";
  if (!Number.isSafeInteger(size) || (size as number) < 0) return "a FileRef whose size is a whole number of bytes";
  if (typeof mime !== "string" || !isMime(mime))
    return "a FileRef whose mime is type/subtype in lower case, without parameters";
  if (name !== undefined && !isFileName(name))
    return `a FileRef whose name has 1 to ${limits.fileNameCharsMax} characters and no slash or control character`;
  if (inline !== undefined && base64SizeBytes(inline) !== size)
    return "a FileRef whose inline bytes are as many as size";
  return null;
}

/** Whether it is a type as a FileRef holds it. */
export const isMime = (mime: string): boolean => mimePattern.test(mime);

/** Whether a name is safe to show and to save under: no path, nothing invisible. */
export function isFileName(name: unknown): name is string {
  if (typeof name !== "string" || name === "" || name.length > limits.fileNameCharsMax) return false;
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  return isStorableText(name) && !/[/\\\u0000-\u001f\u007f]/.test(name) && name !== "." && name !== "..";
}

/** Bytes of padded standard base64; -1 for anything else. */
function base64SizeBytes(text: unknown): number {
  if (typeof text !== "string" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return -1;
  return (text.length / 4) * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
}

function check({ table, name, file = {} }: FileColumn, ref: FileRef, before: Value): void {
  const why = policyProblem(file, ref) ?? changeProblem(file, ref, before as FileRef | null);
  if (why !== null) throw new PlasmaError("blob/refused", { what: `The file for "${table}.${name}"`, why });
}

/** Why the options do not allow the file, else null. */
export function policyProblem(
  { maxSize, mimeAllowList, inlineThreshold = 0 }: FileOptions,
  { size, mime, inline }: Pick<FileRef, "size" | "mime" | "inline">,
): string | null {
  if (maxSize !== undefined && size > maxSize) return `it has ${size} bytes; at most ${maxSize} are allowed`;
  if (mimeAllowList !== undefined && !mimeAllowList.some((allowed) => matchesMime(allowed, mime)))
    return `its type is ${mime}; allowed are ${mimeAllowList.join(", ")}`;
  if (inline !== undefined && size >= inlineThreshold)
    return `its ${size} bytes ride inside the FileRef, which is for fewer than ${inlineThreshold}`;
  return null;
}

/** Whether `allowed` ("image/png" or "image/*") covers the type. */
export const matchesMime = (allowed: string, mime: string): boolean =>
  allowed.endsWith("/*") ? mime.startsWith(allowed.slice(0, -1)) : allowed === mime;

function changeProblem(
  { immutable = true }: FileOptions,
  { hash, size }: FileRef,
  before: FileRef | null,
): string | null {
  if (before === null) return null;
  if (before.hash === hash) return before.size === size ? null : "the same bytes have another size";
  return immutable ? "the row has another file already; write file({ immutable: false }) to allow replacing it" : null;
}
