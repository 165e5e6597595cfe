// Owns: reading a request's body as JSON, with a bound that holds while it streams.

import { serverError } from "../server-error.ts";

/** The body as JSON. Throws `limit/payload` as soon as more than `sizeBytesMax` came, `request/invalid` for what is not JSON. */
export async function readJsonBody(request: Request, sizeBytesMax: number): Promise<unknown> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > sizeBytesMax) throw serverError("limit/payload", { sizeBytesMax });
  const bytes = await readBytes(request, sizeBytesMax);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw serverError("request/invalid", { why: "The body is not JSON." }, { cause });
  }
}

async function readBytes(request: Request, sizeBytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await readChunk(reader);
    if (done) break;
    sizeBytes += value.length;
    if (sizeBytes > sizeBytesMax) {
      // Not awaited: a sender that never ends must not hold the answer back.
      reader.cancel().catch(() => undefined);
      throw serverError("limit/payload", { sizeBytesMax });
    }
    chunks.push(value);
  }
  return joined(chunks, sizeBytes);
}

async function readChunk(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch (cause) {
    throw serverError("request/invalid", { why: "The body broke off." }, { cause });
  }
}

function joined(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
