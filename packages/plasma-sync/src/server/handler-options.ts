// Owns: what an app gives to `createSyncHandler`, and the checks of it.

import { systemEnv, type Env } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import { MUTATORS, type AnyMutators, type MutatorDef } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { BlobStore } from "./blob/blob-store.ts";
import type { FileColumns } from "./blob/file-checks.ts";
import type { Authorized, AuthResult, PushOrigin } from "./authorized.ts";
import type { SqlExecutor } from "./database/sql-executor.ts";
import { fileColumnsOf } from "./migration/file-triggers.ts";
import { coordinatorOf } from "./realtime/namespace-coordinator.ts";
import type { Coordinator, CoordinatorNamespace } from "./realtime/coordinator.ts";
import type { CorsOptions } from "./sync/cors.ts";
import { PageSeal } from "./sync/page-seal.ts";
import { schemaViews, type SchemaView } from "./sync/schema-versions.ts";
import type { PlasmaMetric, SyncServerError } from "./sync/sync-server-error.ts";
import { serverError } from "./server-error.ts";

export type { Authorized, AuthResult, PushOrigin } from "./authorized.ts";

/** A mutation that was processed for the first time, told after its commit. */
export interface MutationEvent<Ctx = unknown> {
  readonly name: string;
  /** As the mutator got them before its args schema; null where they could not be read. */
  readonly args: unknown;
  readonly id: number;
  readonly clientID: string;
  readonly ctx: Ctx;
  readonly status: "applied" | "rejected";
}

export interface SyncHandlerOptions<Ctx = unknown> {
  readonly schema: AnySchema;
  readonly mutators: AnyMutators;
  readonly executor: SqlExecutor;
  /** Clients of another version that is not accepted either are answered `schema/mismatch`. */
  readonly schemaVersion: string;
  /**
   * Older versions whose clients are served too: version → its schema. They are sent only its tables and columns; their
   * mutations run with the current mutators. Default: none.
   */
  readonly acceptSchemaVersions?: { readonly [version: string]: AnySchema };
  /** Asked on every request. It must not read the body. A throw answers 503. */
  readonly auth: (request: Request) => AuthResult<Ctx> | Promise<AuthResult<Ctx>>;
  /** The path before `/push`, `/pull` and `/coordinator`. Default "/sync". */
  readonly basePath?: string;
  /** Called once per push that changed a row, after its commit. The `coordinator` is poked without it. */
  readonly onPushed?: (auth: Authorized<Ctx>, origin: PushOrigin) => void | Promise<void>;
  /** Called per mutation after its commit, never for duplicates: the place for mail and payments. */
  readonly onMutation?: (event: MutationEvent<Ctx>) => void | Promise<void>;
  readonly onError?: (error: SyncServerError) => void;
  readonly onMetric?: (metric: PlasmaMetric) => void;
  /** Takes the promises of hooks (a Worker's `ctx.waitUntil`); without it the answer waits for them. */
  readonly waitUntil?: (promise: Promise<unknown>) => void;
  /** Default 200. */
  readonly maxMutationsPerPush?: number;
  /** Bytes of a push body. Default 1 MiB, at least 640 KiB. */
  readonly maxPayloadBytes?: number;
  /** Where the bytes of files lie; `{basePath}/blob/…` is 404 without it. Guide: docs/guides/files.md. */
  readonly blobs?: { readonly default: BlobStore };
  /** Bytes of one file. Default 512 MiB; file columns may say less. */
  readonly maxBlobBytes?: number;
  /** Rows with a file that are asked whether the caller may read it; when none of so many is, it is refused. Default 100. */
  readonly readAuthMaxRefs?: number;
  /** Asked after `auth`; a refusal answers 429 with Retry-After. */
  readonly rateLimit?: (input: {
    readonly request: Request;
    readonly auth: Authorized<Ctx>;
  }) => RateLimitResult | Promise<RateLimitResult>;
  /** Lets pages of other origins in. Default: none. */
  readonly cors?: CorsOptions;
  /**
   * What holds the WebSockets: the namespace of a `SyncCoordinator`, or the hub of this process. `{basePath}/coordinator`
   * then opens sockets, and each push that changed a row pokes. Default: none, and that path is not found.
   */
  readonly coordinator?: CoordinatorNamespace | Coordinator;
  /** Asked for each socket, after `auth`, and again while it is open; false closes it. Default: whoever `auth` lets in. */
  readonly authorizeRoom?: (input: { readonly ctx: Ctx; readonly room: string }) => boolean | Promise<boolean>;
  /**
   * The rooms that a push pokes, 32 at most. Default: all sockets where they are in the process of the database; with a
   * `SyncCoordinator`, whose rooms are objects of their own, the room "global".
   */
  readonly pokeRooms?: (push: PokingPush<Ctx>) => readonly string[];
  /** Clock and randomness. Default: the platform's. */
  readonly env?: Env;
}

/** A push that changed a row, as `pokeRooms` sees it. */
export interface PokingPush<Ctx = unknown> {
  readonly auth: Authorized<Ctx>;
  /** Those that it processed for the first time. */
  readonly mutations: readonly MutationEvent<Ctx>[];
}

export type RateLimitResult = { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };

/** The options with defaults filled in, in the form in which requests use them. */
export interface HandlerSettings {
  readonly options: SyncHandlerOptions;
  readonly mutatorsByName: ReadonlyMap<string, MutatorDef>;
  readonly env: Env;
  readonly seal: PageSeal;
  readonly coordinator: Coordinator | null;
  /** By the schema version of the client. */
  readonly views: ReadonlyMap<string, SchemaView>;
  /** Without a slash at its end. */
  readonly basePath: string;
  readonly mutationsMax: number;
  readonly payloadBytesMax: number;
  readonly refsMax: number;
  readonly fileColumns: FileColumns;
}

/** Checks the options. Throws `server/option`. */
export function checkHandlerOptions(options: SyncHandlerOptions): HandlerSettings {
  const { maxMutationsPerPush = limits.pushMutationsMax, maxPayloadBytes = limits.pushBytesMax } = options;
  const { maxBlobBytes = limits.blobBytesMax, readAuthMaxRefs = limits.blobRefsMax } = options;
  const refuse = (option: string, why: string) => serverError("server/option", { option, why });
  const basePath = basePathOf(options);
  if (options.basePath !== undefined && !options.basePath.startsWith("/"))
    throw refuse("basePath", `must begin with "/".`);
  if (typeof options.auth !== "function") throw refuse("auth", "must be a function that says who is asking.");
  if (typeof options.schemaVersion !== "string" || options.schemaVersion === "")
    throw refuse("schemaVersion", "must be a text.");
  if (!Number.isSafeInteger(maxMutationsPerPush) || maxMutationsPerPush < 1)
    throw refuse("maxMutationsPerPush", "must be 1 or more.");
  if (!Number.isSafeInteger(maxPayloadBytes) || maxPayloadBytes < limits.pushBytesMaxMin) {
    throw refuse("maxPayloadBytes", `must be at least ${limits.pushBytesMaxMin}, so that one mutation always fits.`);
  }
  if (!Number.isSafeInteger(maxBlobBytes) || maxBlobBytes < 1) throw refuse("maxBlobBytes", "must be 1 or more.");
  if (!Number.isSafeInteger(readAuthMaxRefs) || readAuthMaxRefs < 1)
    throw refuse("readAuthMaxRefs", "must be 1 or more.");
  const env = options.env ?? systemEnv;
  return {
    options,
    mutatorsByName: options.mutators[MUTATORS].byName,
    env,
    seal: new PageSeal(options.executor, env),
    coordinator: options.coordinator === undefined ? null : coordinatorOf(options.coordinator, env),
    views: schemaViews(options),
    basePath,
    mutationsMax: maxMutationsPerPush,
    payloadBytesMax: maxPayloadBytes,
    refsMax: readAuthMaxRefs,
    fileColumns: fileColumnsByTable(options.schema),
  };
}

const fileColumnsByTable = ({ tablesByName }: AnySchema): FileColumns =>
  new Map(
    [...tablesByName.values()]
      .filter((meta) => !meta.changeLogSuppressed)
      .map((meta) => [meta.name, fileColumnsOf(meta)] as const)
      .filter(([, columns]) => columns.length > 0),
  );

/** Without a slash at its end. */
export const basePathOf = ({ basePath = "/sync" }: Pick<SyncHandlerOptions, "basePath">): string =>
  basePath.replace(/\/+$/, "");
