// Owns: requests for blobs as they come from outside, parsed: hash, length, type, range, what the sender has already.

import * as limits from "../../core/limits.ts";
import { serverError } from "../server-error.ts";
import { isBlobHash } from "./blob-key.ts";
import type { BlobPolicy } from "./blob-policy.ts";
import type { BlobRange } from "./blob-store.ts";

/** The hash that the path ends with. Throws `blob/invalid`. */
export function parseHash(text: string): string {
  if (!isBlobHash(text)) throw serverError("blob/invalid", { why: "A hash is 64 lower-case hex digits." });
  return text;
}

export interface Upload {
  readonly body: ReadableStream<Uint8Array>;
  readonly sizeBytes: number;
}

/**
 * What is sent, with its size. Without a Content-Length a small body is read first: only handlers that are called without a
 * network get such. Throws `blob/invalid`, `blob/length`, `blob/too-large`, `blob/type`, `blob/interrupted`.
 */
export async function parseUpload(request: Request, policy: BlobPolicy): Promise<Upload> {
  const { headers } = request;
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") throw serverError("blob/invalid", { why: "Files are sent without Content-Encoding." });
  const mime = mimeOf(headers.get("content-type"));
  if (!policy.allows(mime)) throw serverError("blob/type", { mime });
  const body = arriving(request.body);
  const length = headers.get("content-length");
  if (length === null) return readSmall(body, policy);
  if (!/^\d{1,15}$/.test(length)) throw serverError("blob/invalid", { why: "The Content-Length is no number." });
  const sizeBytes = Number(length);
  if (sizeBytes > policy.sizeBytesMax) throw serverError("blob/too-large", { sizeBytesMax: policy.sizeBytesMax });
  return { body, sizeBytes };
}

/** Without parameters, in lower case. */
const mimeOf = (contentType: string | null): string => {
  const mime = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  return mime === "" ? "application/octet-stream" : mime.slice(0, limits.nameCharsMax);
};

/** The body; when it breaks off, that is told as what it is. */
function arriving(body: ReadableStream<Uint8Array> | null): ReadableStream<Uint8Array> {
  const reader = body?.getReader();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = (await reader?.read()) ?? { done: true as const, value: undefined };
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (cause) {
          controller.error(serverError("blob/interrupted", {}, { cause }));
        }
      },
      // Not awaited: a sender that never ends must not hold the answer back.
      cancel: () => void reader?.cancel().catch(() => undefined),
    },
    { highWaterMark: 0 },
  );
}

async function readSmall(body: ReadableStream<Uint8Array>, { sizeBytesMax }: BlobPolicy): Promise<Upload> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeBytesMax) throw serverError("blob/too-large", { sizeBytesMax });
    if (sizeBytes > limits.blobUnsizedBytesMax) throw serverError("blob/length", {});
    chunks.push(chunk);
  }
  const whole = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return { body: whole, sizeBytes };
}

/** Whether the sender has the content of this ETag already. */
export const hasAlready = (headers: Headers, etag: string): boolean =>
  (headers.get("if-none-match") ?? "").split(",").some((tag) => {
    const text = tag.trim().replace(/^W\//, "");
    return text === "*" || text === etag;
  });

/**
 * The part that is asked for; null for the whole: no range, several, one that is malformed, or one of another content. Throws
 * `blob/range` for one that the content does not have.
 */
export function parseRange(headers: Headers, etag: string, sizeBytes: number): BlobRange | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.get("range")?.trim() ?? "");
  if (match === null || (headers.get("if-range") ?? etag) !== etag) return null;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return null;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return null;
  const offset = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (offset >= end) throw serverError("blob/range", { sizeBytes });
  return { offset, length: end - offset };
}
