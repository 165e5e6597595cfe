// Owns: an executor over the storage of a real Durable Object, for tests that run outside of it.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { fromDurableObject } from "./from-durable-object.ts";
import type { SqlExecutor } from "./sql-executor.ts";

/** A new object. Each call enters it anew, as its storage answers to nobody outside. */
export function objectExecutor(): SqlExecutor {
  const stub = env.OBJECT.get(env.OBJECT.newUniqueId());
  const inside = <T>(call: (executor: SqlExecutor) => Promise<T>): Promise<T> =>
    runInDurableObject(stub, (_object, { storage }) => call(fromDurableObject(storage)));
  const { dialect, interactive, pushStatementsMax, transaction, classify } = fromDurableObject({} as never);
  return {
    dialect,
    interactive,
    pushStatementsMax,
    transaction,
    classify,
    all: (statement) => inside((executor) => executor.all(statement)),
    run: (statement) => inside((executor) => executor.run(statement)),
    batch: (statements) => inside((executor) => executor.batch(statements)),
  };
}
