// Owns: runMutator: one run of one mutator on a MutationStore, the same on both sides.
// Invariants:
//   1. The run ends only when every statement that the mutator began has ended, also when it throws; a statement that it
//      did not await fails the run when it fails.
//   2. The mutator's db is dead once the mutator has returned: a late call throws `mutation/ended`.
//   3. In development, a mutator that waits for anything but its db fails with `mutation/foreign-await` instead of hanging.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PlasmaError, type ArgsIssue } from "../error.ts";
import { isDevelopment } from "../lib/development.ts";
import type { Env } from "../lib/env.ts";
import type { SelectNode } from "../query/ast.ts";
import type { QueryEngine } from "../query/query-engine.ts";
import { createDb } from "../query/db.ts";
import type { AnySchema } from "../schema/schema.ts";
import type { MutationStore } from "./mutation-store.ts";
import type { MutatorDef } from "./mutator.ts";
import { createNewId } from "./new-id.ts";
import { runStatement, type StatementScope } from "./statement.ts";

export interface RunMutatorInput {
  readonly schema: AnySchema;
  readonly def: MutatorDef;
  readonly store: MutationStore;
  readonly env: Env;
  readonly authorize?: StatementScope["authorize"];
  readonly resolve?: StatementScope["resolve"];
  /** Hears of the mutator's own selects, before they run. */
  readonly onSelect?: (query: SelectNode) => void;
  /** Whether to watch for foreign awaits. Default: outside production builds. */
  readonly dev?: boolean;
  readonly input: {
    readonly name: string;
    /** Decoded, not yet validated. */
    readonly args: unknown;
    readonly ctx: unknown;
    readonly clientID: string;
    readonly mutationID: number;
    readonly now: number;
    /** 32 hex digits. */
    readonly seed: string;
    readonly side: "client" | "server";
  };
}

/** Runs the mutator; throws what it throws. */
export async function runMutator(options: RunMutatorInput): Promise<void> {
  const { schema, def, store, env, authorize, resolve, onSelect, dev = isDevelopment } = options;
  const { seed, args: given, ...rest } = options.input;
  const args = validateArgs(def, rest.name, given);
  const newId = createNewId(seed);
  const calls = new DbCalls();
  const scope: StatementScope = { schema, store, newId, ...(authorize && { authorize }), ...(resolve && { resolve }) };
  const engine: QueryEngine = {
    select: (query) => {
      onSelect?.(query);
      return calls.track(() => store.select(query));
    },
    write: (node) => calls.track(() => runStatement(scope, node)),
  };
  const db = createDb({ schema, engine });
  let failure: Failure = null;
  try {
    const run = Promise.resolve(def.run({ ...rest, db, args, newId }));
    await (dev ? withWatchdog(run, calls, { name: rest.name, env }) : run);
  } catch (error) {
    failure = { error };
  }
  const unawaited = await calls.end();
  failure ??= unawaited;
  if (failure !== null) throw failure.error;
}

type Failure = { readonly error: unknown } | null;

/** Rejects with `mutation/foreign-await` when the mutator waits through two turns of the event loop with no call on its db. */
async function withWatchdog(
  run: Promise<void>,
  calls: DbCalls,
  { name, env }: { name: string; env: Env },
): Promise<void> {
  let isDone = false;
  let seen = -1;
  let timer: ReturnType<Env["setTimeout"]> | null = null;
  const hung = new Promise<never>((_, reject) => {
    const look = () => {
      timer = null;
      if (isDone) return;
      if (calls.open === 0 && calls.count === seen) return reject(new PlasmaError("mutation/foreign-await", { name }));
      seen = calls.open === 0 ? calls.count : -1;
      timer = env.setTimeout(look, 0);
    };
    // Most mutators end within a few microtasks and never arm it.
    void skipMicrotasks(() => isDone).then(() => {
      if (!isDone) timer = env.setTimeout(look, 0);
    });
  });
  try {
    await Promise.race([run, hung]);
  } finally {
    isDone = true;
    if (timer !== null) env.clearTimeout(timer);
  }
}

const MICROTASKS = 50;
async function skipMicrotasks(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < MICROTASKS && !isDone(); i++) await Promise.resolve();
}

/** The args as the mutator gets them: the schema's output. Throws `mutation/args`. */
export function validateArgs(def: MutatorDef, name: string, args: unknown): unknown {
  if (def.args === undefined) return args;
  const result = def.args["~standard"].validate(args);
  if ("then" in result) {
    // Nobody will await it: what it comes to is of no interest.
    result.then(undefined, () => undefined);
    throw new PlasmaError("mutation/definition", {
      name,
      why: "its args schema is asynchronous; use a synchronous one.",
    });
  }
  if (result.issues === undefined) return result.value;
  const details = result.issues.map(({ message, path = [] }) => ({ message, path: path.map(keyOf) }));
  throw new PlasmaError("mutation/args", { name, issues: describeIssues(details), details });
}

const describeIssues = (issues: readonly ArgsIssue[]): string =>
  issues
    .map(({ message, path }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`))
    .join("; ");

const keyOf = (segment: PropertyKey | StandardSchemaV1.PathSegment): PropertyKey =>
  typeof segment === "object" ? segment.key : segment;

/** The statements of one run: they go one after another, in the order in which they were called. */
class DbCalls {
  #open = 0;
  #ended = false;
  #failure: Failure = null;
  #tail: Promise<unknown> = Promise.resolve();
  /** Counts calls, so that the watchdog sees whether any was made since it last looked. */
  count = 0;

  /** Calls under way. */
  get open(): number {
    return this.#open;
  }

  async track<T>(call: () => Promise<T>): Promise<T> {
    this.#open += 1;
    this.count += 1;
    try {
      if (this.#ended) throw new PlasmaError("mutation/ended", {});
      const result = this.#open === 1 ? call() : this.#tail.then(call);
      // The caller gets the error; the next in line only waits.
      this.#tail = result.catch(() => undefined);
      return await result;
    } catch (error) {
      if (this.#ended) this.#failure ??= { error };
      throw error;
    } finally {
      this.#open -= 1;
    }
  }

  /** Refuses further calls, waits for those under way and returns the first failure among them. */
  async end(): Promise<Failure> {
    this.#ended = true;
    if (this.#open === 0) return null;
    while (this.#open > 0) await this.#tail;
    // Whoever waited for those calls goes on now; a call that this leads to comes too late and is a failure too.
    await skipMicrotasks(() => false);
    return this.#failure;
  }
}
