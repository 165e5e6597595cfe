// Owns: answers as Response objects: JSON, never stored, errors as `{ error, code, … }`.
// Invariants:
//   1. Only codes of the table below reach a client with their text; whatever else was thrown is `server/retry`.
//   2. No stack, cause or row value stands in a body.

import type { PlasmaError } from "../../core/error.ts";
import { isPlasmaError } from "../../core/error.ts";
import type { ErrorBody } from "../../core/protocol/error-body.ts";
import type { SyncServerErrorKind } from "./sync-server-error.ts";
import { serverError } from "../server-error.ts";

interface ErrorClass {
  readonly status: number;
  /** What the operator is told; absent for answers that belong to normal work. */
  readonly kind?: SyncServerErrorKind;
}

const errorClasses = {
  "auth/unauthorized": { status: 401, kind: "unauthorized" },
  "protocol/field": { status: 400, kind: "invalid-request" },
  "request/invalid": { status: 400, kind: "invalid-request" },
  "auth/group-mismatch": { status: 400, kind: "invalid-request" },
  "auth/client-mismatch": { status: 400, kind: "invalid-request" },
  "auth/room": { status: 403, kind: "unauthorized" },
  "auth/origin": { status: 403, kind: "unauthorized" },
  "pull/cookie": { status: 400, kind: "invalid-request" },
  "request/not-found": { status: 404 },
  "request/method": { status: 405 },
  "protocol/mismatch": { status: 409, kind: "protocol-mismatch" },
  "schema/mismatch": { status: 409, kind: "schema-mismatch" },
  "push/gap": { status: 409 },
  "limit/mutations": { status: 413, kind: "invalid-request" },
  "limit/payload": { status: 413, kind: "invalid-request" },
  "limit/rate": { status: 429 },
  "blob/invalid": { status: 400, kind: "blob-invalid-request" },
  "blob/hash-mismatch": { status: 400, kind: "blob-hash-mismatch" },
  "blob/not-found": { status: 404, kind: "blob-not-found" },
  // Not 400: the client sends it again.
  "blob/interrupted": { status: 408, kind: "blob-invalid-request" },
  "blob/length": { status: 411, kind: "blob-invalid-request" },
  "blob/too-large": { status: 413, kind: "blob-invalid-request" },
  "blob/type": { status: 415, kind: "blob-invalid-request" },
  "blob/range": { status: 416, kind: "blob-invalid-request" },
  "blob/upload-failed": { status: 503, kind: "blob-upload-failed-server" },
  "server/retry": { status: 503, kind: "database" },
} as const satisfies { readonly [code: string]: ErrorClass };

/** An error as it is answered. */
export interface Refusal extends ErrorClass {
  readonly body: ErrorBody;
  readonly headers?: { readonly [name: string]: string };
}

export function refusalOf(error: unknown): Refusal {
  const known = isPlasmaError(error) && error.code in errorClasses ? error : serverError("server/retry", {});
  const { code } = known;
  const body = bodyOf(known);
  return {
    ...errorClasses[code as keyof typeof errorClasses],
    body: code === "protocol/field" ? { ...body, code: "request/invalid" } : body,
    headers: headersOf(known),
  };
}

function headersOf(error: PlasmaError): { readonly [name: string]: string } {
  if (isPlasmaError(error, "limit/rate")) return { "retry-after": String(error.data.retryAfterSeconds) };
  return isPlasmaError(error, "blob/range") ? { "content-range": `bytes */${error.data.sizeBytes}` } : {};
}

function bodyOf(error: PlasmaError): ErrorBody {
  if (isPlasmaError(error, "schema/mismatch"))
    return { error: "schema mismatch", code: error.code, expected: error.data.expected };
  if (isPlasmaError(error, "push/gap")) return { error: error.text, code: error.code, ...error.data };
  return { error: error.text, code: error.code };
}

export function jsonResponse(status: number, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}

export function refusalResponse({ status, body, headers = {} }: Refusal): Response {
  const response = jsonResponse(status, body);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
