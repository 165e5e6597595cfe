// Owns: checking the options of createPlasmaClient and filling in their defaults.

import { PlasmaError } from "../core/error.ts";
import { systemEnv, type Env } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import { MUTATORS, type AnyMutators } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { OfflineClientOptions, PlasmaClientOptions, RetryOptions } from "./plasma-client.ts";

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly env: Env;
  readonly storage: "indexeddb" | "memory";
  /** No request, socket or timer. */
  readonly offline: boolean;
  /** "" when offline. */
  readonly endpoint: string;
  readonly pollIntervalMs: number;
  readonly fileCacheBytes: number;
  readonly retry: Required<RetryOptions>;
}

const defaults = { pollIntervalMs: 5000, retry: { maxAttempts: 5, initialDelayMs: 500, maxDelayMs: 30_000 } } as const;

/** The options of either kind of client. */
export type ClientOptions<S extends AnySchema = AnySchema, M extends AnyMutators = AnyMutators> =
  | PlasmaClientOptions<S, M>
  | OfflineClientOptions<S, M>;

/** Throws `client/option` for what cannot work. */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const offline = options.offline === true;
  const names = ["dbName", "schemaVersion", "clientGroupID", ...(offline ? [] : (["endpoint"] as const))] as const;
  for (const option of names) {
    if (typeof options[option] !== "string" || options[option] === "") refuse(option, "is a text that is not empty.");
  }
  if (typeof options.getContext !== "function") refuse("getContext", "is a function.");
  if (!(options.schema?.tablesByName instanceof Map)) refuse("schema", "comes from defineSchema.");
  if (options.mutators?.[MUTATORS] === undefined) refuse("mutators", "come from defineMutators.");
  const pollIntervalMs = options.pollIntervalMs ?? defaults.pollIntervalMs;
  const retry = { ...defaults.retry, ...options.retry };
  const fileCacheBytes = options.fileCacheBytes ?? limits.blobCacheBytesDefault;
  for (const [option, value] of Object.entries({ pollIntervalMs, fileCacheBytes, ...retry })) {
    if (!Number.isFinite(value) || value <= 0) refuse(option, "is a number above 0.");
  }
  const { env = systemEnv, storage = "indexeddb", endpoint = "" } = options;
  return { env, storage, offline, endpoint, pollIntervalMs, fileCacheBytes, retry };
}

function refuse(option: string, why: string): never {
  throw new PlasmaError("client/option", { option, why });
}
