// Owns: a push: its mutations run in order in one transaction, each exactly once, with its outcome recorded.
// Invariants:
//   1. Nothing runs before the whole body was checked (push-plan.ts).
//   2. An id that was processed before is answered, never run. A refused one is answered with its recorded error.
//   3. The transaction may run everything again; only the last run's report counts, and hooks wait for the commit.
//   4. A write set leaves with its advance in one commit; so does a rejection, through the same guard.

import { must } from "../../core/lib/assert.ts";
import { PlasmaError } from "../../core/error.ts";
import type { MutationStore } from "../../core/mutation/mutation-store.ts";
import { createSeed } from "../../core/mutation/new-id.ts";
import { runMutator } from "../../core/mutation/run-mutator.ts";
import type { MutationResult, PushMutation, PushRequest, PushResponse } from "../../core/protocol/push.ts";
import { decodeTagged } from "../../core/protocol/tagged-json.ts";
import type { SelectNode } from "../../core/query/ast.ts";
import * as limits from "../../core/limits.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import { FileChecks } from "../blob/file-checks.ts";
import type { MutationOrigin, PushTransaction } from "../database/push-transaction.ts";
import { withPushTransaction } from "../database/with-push-transaction.ts";
import type { Authorized, HandlerSettings, MutationEvent } from "../handler-options.ts";
import { checkGaps, checkOwners, clientOf, idsByClient, lastIDs } from "./push-plan.ts";
import { createResolve } from "./conflicts.ts";
import { warnOfLocalOnlyRead } from "./local-only-reads.ts";
import { ReadRules } from "./read-rules.ts";
import { argsRejection, rejectionOf, type RecordedError } from "./rejection.ts";
import { createAuthorize } from "./visibility.ts";

/** A mutation that this push processed. */
export interface ProcessedMutation extends MutationEvent {
  /** With status "rejected". */
  readonly rejection?: RecordedError & { readonly cause: unknown };
}

export interface PushReport {
  readonly response: PushResponse;
  readonly processed: readonly ProcessedMutation[];
  /** Whether any row was written. */
  readonly hasChanges: boolean;
}

/**
 * Runs a checked push. Throws `auth/client-mismatch`,
 * `push/gap`, `server/retry`, or what the database throws.
 */
export async function push(
  settings: HandlerSettings,
  auth: Authorized,
  request: PushRequest,
  hooks: PushHooks,
): Promise<PushReport> {
  const { executor, schema } = settings.options;
  const deps = { executor, schema, now: () => settings.env.now(), onGuardConflict: hooks.onGuardConflict };
  const scope = { clientGroupID: request.clientGroupID, idsByClient: idsByClient(request) };
  return withPushTransaction(deps, scope, async (tx) => {
    checkOwners(request, tx.clients);
    checkGaps(request, tx.clients);
    return new PushRun({ settings, auth, request, tx, hooks }).run();
  });
}

/** What a push tells while it runs. */
export interface PushHooks {
  /** A concurrent change makes it run again. */
  readonly onGuardConflict: () => void;
  /** See `readAuthMaxRefs`. */
  readonly onCapHit: (hash: string) => void;
}

interface PushScope {
  readonly hooks: PushHooks;
  readonly settings: HandlerSettings;
  readonly auth: Authorized;
  readonly request: PushRequest;
  readonly tx: PushTransaction;
}

/** One run of a push in one transaction. */
class PushRun {
  readonly #scope: PushScope;
  readonly #lastIDs: Map<string, number>;
  /** Errors of refused mutations, by client and id: from earlier pushes and from this one. */
  readonly #refused = new Map<string, RecordedError>();
  readonly #authorize: ReturnType<typeof createAuthorize>;
  /** Only where a table resolves conflicts. */
  readonly #readRules: ReadRules | null;
  /** Only where a table has files. */
  readonly #files: FileChecks | null;
  readonly #results: MutationResult[] = [];
  readonly #processed: ProcessedMutation[] = [];
  #hasChanges = false;

  constructor(scope: PushScope) {
    const { settings, auth, request, tx } = scope;
    const { schema } = settings.options;
    this.#scope = scope;
    this.#authorize = createAuthorize(schema, auth.ctx);
    this.#readRules = hasConflictRules(schema) ? new ReadRules(schema, auth.ctx) : null;
    this.#files = settings.fileColumns.size === 0 ? null : this.#fileChecks();
    this.#lastIDs = lastIDs(request, tx.clients);
    for (const { clientID, id, error } of tx.refusals) this.#refused.set(keyOf(clientID, id), error);
  }

  async run(): Promise<PushReport> {
    const { request, tx } = this.#scope;
    for (const mutation of request.mutations) {
      const clientID = clientOf(request, mutation);
      const isKnown = mutation.id <= must(this.#lastIDs.get(clientID), "push: every client of the body has a last id");
      if (isKnown) this.#results.push(this.#knownResult(clientID, mutation.id));
      else if (tx.isFull) break;
      else await this.#process(clientID, mutation);
    }
    const lastMutationIDs = Object.fromEntries(this.#lastIDs);
    return {
      response: { ok: true, results: this.#results, lastMutationIDs },
      processed: this.#processed,
      hasChanges: this.#hasChanges,
    };
  }

  #knownResult(clientID: string, id: number): MutationResult {
    const error = this.#refused.get(keyOf(clientID, id));
    return error === undefined ? { clientID, id, status: "duplicate" } : { clientID, id, status: "rejected", error };
  }

  async #process(clientID: string, mutation: PushMutation): Promise<void> {
    const { settings, auth, request, tx } = this.#scope;
    const { id, name } = mutation;
    const origin = {
      clientGroupID: request.clientGroupID,
      clientID,
      replicaID: request.replicaID ?? null,
      mutationID: id,
    };
    const { onMutation, pokeRooms } = settings.options;
    const args = onMutation === undefined && pokeRooms === undefined ? null : decodeOrNull(mutation.args);
    const event = { name, args, id, clientID, ctx: auth.ctx };
    this.#lastIDs.set(clientID, id);
    try {
      await this.#run(origin, mutation);
      tx.advance(origin);
      this.#results.push({ clientID, id, status: "applied" });
      this.#processed.push({ ...event, status: "applied" });
    } catch (cause) {
      const error = rejectionOf(cause);
      if (error === null) throw cause;
      tx.advance(origin, error);
      this.#refused.set(keyOf(clientID, id), error);
      this.#results.push({ clientID, id, status: "rejected", error });
      this.#processed.push({ ...event, status: "rejected", rejection: { ...error, cause } });
    }
  }

  #fileChecks(): FileChecks {
    const { settings, auth, request, hooks } = this.#scope;
    const { fileColumns, refsMax, options } = settings;
    const rules = this.#readRules ?? new ReadRules(options.schema, auth.ctx);
    const { clientGroupID } = request;
    const { onCapHit } = hooks;
    return new FileChecks({ dialect: options.executor.dialect, fileColumns, clientGroupID, rules, refsMax, onCapHit });
  }

  async #run(origin: MutationOrigin, { name, args, timestamp, seed, base }: PushMutation): Promise<void> {
    const { settings, auth, tx } = this.#scope;
    const { options, mutatorsByName, env } = settings;
    const def = mutatorsByName.get(name);
    if (def === undefined) throw new PlasmaError("mutation/unknown", { name, known: [...mutatorsByName.keys()] });
    const input = {
      name,
      args: decodeArgs(name, args),
      ctx: auth.ctx,
      clientID: origin.clientID,
      mutationID: origin.mutationID,
      now: Math.min(timestamp, env.now() + limits.clockSkewMsMax),
      seed: seed ?? createSeed(env),
      side: "server" as const,
    };
    let writes = 0;
    await tx.mutation(origin, (store) => {
      const counted = countWrites(this.#files?.guarding(store) ?? store, (count) => (writes += count));
      const { schema, executor } = options;
      const rules = this.#readRules;
      const resolve =
        rules === null
          ? undefined
          : createResolve({ dialect: executor.dialect, store, rules, ctx: auth.ctx, origin, base });
      const authorize = this.#authorize;
      const onSelect = (query: SelectNode) => warnOfLocalOnlyRead(schema, name, query);
      return runMutator({ schema, def, store: counted, env, authorize, onSelect, ...(resolve && { resolve }), input });
    });
    if (writes > 0) this.#hasChanges = true;
  }
}

const hasConflictRules = ({ tablesByName }: AnySchema): boolean =>
  [...tablesByName.values()].some(({ resolveConflict }) => resolveConflict !== undefined);

const keyOf = (clientID: string, id: number): string => `${id} ${clientID}`;

const countWrites = (store: MutationStore, onWrite: (count: number) => void): MutationStore => ({
  select: (query) => store.select(query),
  getMany: (table, ids) => store.getMany(table, ids),
  write: (writes) => {
    onWrite(writes.length);
    return store.write(writes);
  },
});

function decodeArgs(name: string, args: unknown): unknown {
  try {
    return decodeTagged(args);
  } catch (error) {
    throw argsRejection(name, error);
  }
}

/** Decoded anew for the event: a mutator may change the object that it was given. */
function decodeOrNull(args: unknown): unknown {
  try {
    return decodeTagged(args);
  } catch {
    return null;
  }
}
