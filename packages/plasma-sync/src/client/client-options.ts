// Owns: checking the options of createPlasmaClient and filling in their defaults.

import { PlasmaError } from "../core/error.ts";
import { systemEnv, type Env } from "../core/lib/env.ts";
import { MUTATORS, type AnyMutators } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { PlasmaClientOptions, RetryOptions } from "./plasma-client.ts";

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly env: Env;
  readonly storage: "indexeddb" | "memory";
  readonly pollIntervalMs: number;
  readonly retry: Required<RetryOptions>;
}

const defaults = { pollIntervalMs: 5000, retry: { maxAttempts: 5, initialDelayMs: 500, maxDelayMs: 30_000 } } as const;

/** Throws `client/option` for what cannot work. */
export function resolveOptions(options: PlasmaClientOptions<AnySchema, AnyMutators>): ResolvedOptions {
  for (const option of ["dbName", "endpoint", "schemaVersion", "clientGroupID"] as const) {
    if (typeof options[option] !== "string" || options[option] === "") refuse(option, "is a text that is not empty.");
  }
  if (typeof options.getContext !== "function") refuse("getContext", "is a function.");
  if (!(options.schema?.tablesByName instanceof Map)) refuse("schema", "comes from defineSchema.");
  if (options.mutators?.[MUTATORS] === undefined) refuse("mutators", "come from defineMutators.");
  const pollIntervalMs = options.pollIntervalMs ?? defaults.pollIntervalMs;
  const retry = { ...defaults.retry, ...options.retry };
  for (const [option, value] of Object.entries({ pollIntervalMs, ...retry })) {
    if (!Number.isFinite(value) || value <= 0) refuse(option, "is a number above 0.");
  }
  return { env: options.env ?? systemEnv, storage: options.storage ?? "indexeddb", pollIntervalMs, retry };
}

function refuse(option: string, why: string): never {
  throw new PlasmaError("client/option", { option, why });
}
