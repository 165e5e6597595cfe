// Owns: the requests for the bytes of files, `{endpoint}/blob/:sha256`: up with progress, down in pieces.
// Loaded by `import()`: apps without files never load it.

import * as limits from "../../core/limits.ts";
import {
  httpFailure,
  readRefusal,
  send,
  urlOf,
  type HttpAnswer,
  type HttpOptions,
  type ReadyCall,
} from "./http-exchange.ts";

export interface BlobUpload {
  readonly hash: string;
  readonly bytes: Blob;
  readonly mime: string;
  /** Told how many bytes have gone. Without XMLHttpRequest, or with a `fetcher`: once, at the end. */
  readonly onProgress: (loadedBytes: number) => void;
}

export interface BlobDownload {
  readonly hash: string;
  /** Bytes that it has: more are not read, and make it a failure. */
  readonly sizeBytesMax: number;
  /** Called with each piece in order; the next is read when it resolves. What it throws ends the download as a network failure. */
  readonly onBytes: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
}

export interface BlobTransport {
  put(upload: BlobUpload, signal: AbortSignal): Promise<HttpAnswer<null>>;
  /** Whether this user may read the bytes, which says that the server has them. */
  head(hash: string, signal: AbortSignal): Promise<HttpAnswer<null>>;
  /** The number of bytes that came. A server that breaks off is a network failure. */
  get(download: BlobDownload, signal: AbortSignal): Promise<HttpAnswer<number>>;
}

/** Makes a transport. */
export const createBlobTransport = (options: HttpOptions): BlobTransport => ({
  put: (upload, signal) => put(options, upload, signal),
  head: (hash, signal) =>
    send(options, {
      make: () => ({ url: blobURL(options, hash), init: { method: "HEAD" } }),
      read: readNothing,
      signal,
    }),
  get: ({ hash, sizeBytesMax, onBytes }, signal) =>
    send(options, {
      make: () => ({ url: blobURL(options, hash), init: { method: "GET" } }),
      read: async (response, url, beat) => {
        if (!response.ok) return readRefusal(response, url);
        const value = await readPieces(response, sizeBytesMax, async (bytes) => {
          beat();
          await onBytes(bytes);
        });
        if (value > sizeBytesMax) return httpFailure(response, url, { message: "The server sent more than the file." });
        return { ok: true, value, url };
      },
      signal,
    }),
});

const blobURL = (options: HttpOptions, hash: string): string => urlOf(options, `blob/${hash}`);

function put(options: HttpOptions, upload: BlobUpload, signal: AbortSignal): Promise<HttpAnswer<null>> {
  const { hash, bytes, mime, onProgress } = upload;
  const make = () => ({
    url: blobURL(options, hash),
    init: { method: "PUT", headers: { "Content-Type": mime }, body: bytes },
  });
  // `fetch` tells nothing of an upload's progress.
  if (options.fetcher === undefined && typeof XMLHttpRequest === "function") {
    const perform = (call: ReadyCall, beat: () => void) =>
      putByXHR(call, bytes, (loadedBytes) => {
        beat();
        onProgress(loadedBytes);
      });
    return send(options, { make, perform, read: readNothing, signal });
  }
  const msMax = limits.requestMsMax + (bytes.size / limits.uploadBytesPerSecondMin) * 1000;
  return send(options, {
    make,
    read: (response, url) => {
      if (response.ok) onProgress(bytes.size);
      return readNothing(response, url);
    },
    msMax,
    signal,
  });
}

async function readNothing(response: Response, url: string): Promise<HttpAnswer<null>> {
  if (!response.ok) return readRefusal(response, url);
  await response.body?.cancel();
  return { ok: true, value: null, url };
}

/** Resolves with how many bytes came; above `sizeBytesMax` it stops. */
async function readPieces(
  response: Response,
  sizeBytesMax: number,
  onBytes: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<number> {
  const reader = response.body?.getReader();
  let sizeBytes = 0;
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true as const, value: undefined };
      if (done) return sizeBytes;
      sizeBytes += value.length;
      if (sizeBytes > sizeBytesMax) return sizeBytes;
      await onBytes(value);
    }
  } finally {
    // What nobody reads any more is not sent; behind the end it does nothing.
    reader?.cancel().catch(() => undefined);
  }
}

/** The one request that goes out by XMLHttpRequest: it tells how much of the body has gone. */
function putByXHR(
  { url, headers, signal }: ReadyCall,
  body: Blob,
  onProgress: (loadedBytes: number) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const stop = () => xhr.abort();
    xhr.open("PUT", url);
    headers.forEach((value, name) => xhr.setRequestHeader(name, value));
    xhr.upload.onprogress = ({ loaded }) => onProgress(loaded);
    xhr.onload = () => resolve(responseOf(xhr));
    xhr.onerror = () => reject(new TypeError("The upload broke off."));
    xhr.onabort = () => reject(signal.reason);
    xhr.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    xhr.send(body);
  });
}

function responseOf(xhr: XMLHttpRequest): Response {
  const retryAfter = xhr.getResponseHeader("Retry-After");
  const headers = new Headers(retryAfter === null ? [] : [["Retry-After", retryAfter]]);
  return new Response(xhr.status === 204 ? null : xhr.responseText, { status: xhr.status, headers });
}
