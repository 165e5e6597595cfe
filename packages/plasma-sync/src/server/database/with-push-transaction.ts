// Owns: withPushTransaction: runs a push in the form of transaction that the engine has, again where another writer won.

import type { PlasmaError } from "../../core/error.ts";
import { isPlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";
import { BufferedTransaction, type BufferedPlan } from "./buffered-transaction.ts";
import { InteractiveTransaction } from "./interactive-transaction.ts";
import { inPushLine } from "./push-line.ts";
import { isSameOrigin } from "./push-records.ts";
import type { MutationOrigin, PushDeps, PushScope, PushTransaction, WithPushTransaction } from "./push-transaction.ts";
import { StatementGate } from "./statement-gate.ts";
import { serverError } from "../server-error.ts";

/** `onLock` is called when the transaction has the lock of the log's order. */
type LockedScope = PushScope & { readonly onLock: () => void };
type Run<T> = (tx: PushTransaction) => Promise<T>;

/** Runs `fn` in one transaction; see push-transaction.ts. Throws what `fn` throws, or `server/retry`. */
export const withPushTransaction: WithPushTransaction = (deps, scope, fn) =>
  deps.executor.interactive
    ? inPushLine(deps.executor, (onLock) => inInteractive(deps, { ...scope, onLock }, fn))
    : inBuffered(deps, scope, fn);

async function inInteractive<T>(deps: PushDeps, scope: LockedScope, fn: Run<T>): Promise<T> {
  const { executor, onGuardConflict } = deps;
  for (let attempt = 0; ; attempt++) {
    const thrownByFn: unknown[] = [];
    const run: Run<T> = (tx) =>
      fn(tx).catch((error: unknown) => {
        thrownByFn.push(error);
        throw error;
      });
    const gate = new StatementGate(executor);
    try {
      return await executor.transaction(async (connection) => {
        const tx = await InteractiveTransaction.begin(deps, scope, { connection, gate });
        scope.onLock();
        const result = await run(tx);
        await tx.finish();
        return result;
      });
    } catch (error) {
      const failure = gate.poison ?? error;
      if (failure === thrownByFn[0]) throw failure;
      const cause = isPlasmaError(failure, "server/retry") ? failure.cause : failure;
      if (executor.classify(cause) !== "conflict" || attempt >= limits.pushGuardRetriesMax)
        throw serverError("server/retry", {}, { cause });
      onGuardConflict?.();
    }
  }
}

async function inBuffered<T>(deps: PushDeps, scope: PushScope, fn: Run<T>): Promise<T> {
  let plan: BufferedPlan = { writingMutationsMax: Number.POSITIVE_INFINITY, culprit: null, statementsUsed: 0 };
  let suspect: MutationOrigin | null | undefined;
  for (let conflicts = 0; conflicts <= limits.pushGuardRetriesMax;) {
    const tx = await BufferedTransaction.begin(deps, scope, plan);
    const result = await runOr(
      () => fn(tx),
      () => tx.poison,
    );
    const commit = await tx.commit();
    if (commit.type === "committed") return result;
    plan = { ...plan, statementsUsed: tx.statementsUsed };
    if (commit.type === "conflict") {
      conflicts += 1;
      deps.onGuardConflict?.();
    } else {
      // Halve until one mutation stands alone, run that once more, and if it is refused again let `mutation` throw.
      const { writingMutations } = tx;
      const alone = writingMutations.length === 1 ? (writingMutations[0] as MutationOrigin | null) : undefined;
      if (alone !== undefined && suspect !== undefined && isSameOrigin(suspect, alone)) {
        plan = { ...plan, culprit: { origin: alone, error: commit.error } };
      }
      suspect = alone;
      plan = { ...plan, writingMutationsMax: Math.max(1, writingMutations.length >> 1) };
    }
  }
  throw serverError("server/retry", {});
}

/** Runs `fn`; when it throws, a failure that it may have hidden is thrown instead. */
async function runOr<T>(fn: () => Promise<T>, hidden: () => PlasmaError | null): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw hidden() ?? error;
  }
}
