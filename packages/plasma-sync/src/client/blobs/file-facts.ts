// Owns: what a FileRef says of a File or Blob without looking into it: size, MIME type, name, in the forms that a column takes.

import { isFileName, isMime } from "../../core/schema/file-policy.ts";
import type { FileRef } from "../../core/schema/value.ts";
import * as limits from "../../core/limits.ts";

export type FileFacts = Pick<FileRef, "size" | "mime" | "name">;

/** The facts; parameters of the type (`;charset=utf-8`) and characters that no name may have are left out. */
export function factsOf(file: Blob): FileFacts {
  const name = nameOf((file as Partial<File>).name ?? "");
  return { size: file.size, mime: mimeOf(file.type), ...(isFileName(name) && { name }) };
}

function mimeOf(type: string): string {
  const mime = (type.split(";")[0] ?? "").trim().toLowerCase();
  return isMime(mime) ? mime : "application/octet-stream";
}

const nameOf = (name: string): string =>
  name
    // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
    .replace(/[/\\\u0000-\u001f\u007f]/g, "_")
    .slice(0, limits.fileNameCharsMax)
    .replace(/\p{Surrogate}/gu, "\ufffd");
