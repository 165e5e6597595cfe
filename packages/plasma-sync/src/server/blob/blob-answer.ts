// Owns: the headers under which files of strangers leave this origin.
// Invariants:
//   1. Nothing of a file is executed here: only types that no browser runs keep their name; all else is octets to be saved.
//      `nosniff` keeps browsers from thinking otherwise, and a policy without rights stands behind both.
//   2. No shared cache keeps an answer, and a browser's own not for another login.

import * as limits from "../../core/limits.ts";
import type { FileRef } from "../../core/schema/value.ts";
import type { BlobRange } from "./blob-store.ts";

/** Types that browsers show and never run. Not among them: HTML, SVG, XML, PDF (its viewers run scripts). */
const inertTypes: ReadonlySet<string> = new Set([
  ...["png", "jpeg", "gif", "webp", "avif", "bmp"].map((type) => `image/${type}`),
  ...["mpeg", "mp4", "aac", "ogg", "wav", "webm", "flac"].map((type) => `audio/${type}`),
  ...["mp4", "webm", "ogg", "quicktime"].map((type) => `video/${type}`),
]);

export const etagOf = (hash: string): string => `"${hash}"`;

export interface BlobAnswer {
  readonly file: FileRef;
  readonly sizeBytes: number;
  /** Null for the whole. */
  readonly range: BlobRange | null;
}

/** Headers of 200, 206 and 304. */
export function blobHeaders({ file, sizeBytes, range }: BlobAnswer): Headers {
  const isInert = inertTypes.has(file.mime);
  const headers = new Headers({
    "content-type": isInert ? file.mime : "application/octet-stream",
    "content-disposition": dispositionOf(isInert ? "inline" : "attachment", file.name),
    "content-length": String(range?.length ?? sizeBytes),
    "accept-ranges": "bytes",
    etag: etagOf(file.hash),
    "cache-control": `private, max-age=${limits.blobMaxAgeSeconds}, immutable`,
    vary: "Authorization, Cookie",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
  });
  if (range !== null)
    headers.set("content-range", `bytes ${range.offset}-${range.offset + range.length - 1}/${sizeBytes}`);
  return headers;
}

/** The name goes percent-encoded, so that no character of it can end the header or its value (RFC 8187). */
function dispositionOf(type: "inline" | "attachment", name: string | undefined): string {
  if (typeof name !== "string" || !name.isWellFormed()) return type;
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${type}; filename*=UTF-8''${encoded}`;
}
