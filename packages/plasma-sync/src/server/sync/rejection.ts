// Owns: which errors refuse a mutation for good, and with what code, and which are the server's own trouble (503).
//
//   thrown in a mutator                                  │ recorded as
//   PlasmaError with a code of SPEC's list               │ that code
//   other data/* (missing value, unknown column)         │ data/invalid
//   other PlasmaError, any other throw of the app        │ mutation/app
//   server/retry, bug/invariant                          │ nothing: the push answers 503 and the client tries again
//
// Engine errors arrive here as PlasmaErrors: push transactions classify them (a mutator cannot hide a database failure).

import { isPlasmaError, messageOf, PlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";

export interface RecordedError {
  readonly code: string;
  readonly message: string;
}

const rejectionCodes: ReadonlySet<string> = new Set([
  "mutation/unknown",
  "mutation/args",
  "mutation/app",
  "auth/denied",
  "constraint/unique",
  "constraint/restrict",
  "constraint/not-null",
  "data/invalid",
  "limit/row",
  "blob/refused",
]);

/** What to record of a mutation that threw `error`; null when the push must be tried again. */
export function rejectionOf(error: unknown): RecordedError | null {
  if (isPlasmaError(error, "server/retry") || isPlasmaError(error, "bug/invariant")) return null;
  return { code: codeOf(error), message: textOf(error).slice(0, limits.errorMessageCharsMax) };
}

/** What did not decode was never args that a client of ours could have made: refused, so that it does not block the rest. */
export function argsRejection(name: string, error: unknown): PlasmaError {
  return new PlasmaError(
    "mutation/args",
    { name, issues: isPlasmaError(error) ? error.text : "they are malformed" },
    { cause: error },
  );
}

function codeOf(error: unknown): string {
  if (!isPlasmaError(error)) return "mutation/app";
  if (rejectionCodes.has(error.code)) return error.code;
  return error.code.startsWith("data/") ? "data/invalid" : "mutation/app";
}

/** Without the code that ends the message of a PlasmaError. */
const textOf = (error: unknown): string => (isPlasmaError(error) ? error.text : messageOf(error));
