// Owns: createServerDb: reads and writes on the server outside mutators: seeding, cron jobs, admin pages.
// Invariants:
//   1. `auth` rules are not asked, on purpose: this is trusted code.
//   2. A statement means what it means in a mutator: defaults, unique look-ups and planned cascades, whole or not at all;
//      its changes reach the log, so clients get them.

import { systemEnv, type Env } from "../core/lib/env.ts";
import { runStatement } from "../core/mutation/statement.ts";
import { createDb, type Db } from "../core/query/db.ts";
import type { QueryEngine } from "../core/query/query-engine.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { SqlExecutor } from "./database/sql-executor.ts";
import { runSelect } from "./database/table-reads.ts";
import { withPushTransaction } from "./database/with-push-transaction.ts";

export interface ServerDbOptions {
  readonly schema: AnySchema;
  readonly executor: SqlExecutor;
  /** Clock and randomness. Default: the platform's. */
  readonly env?: Env;
}

/** No client's mutation: nothing is advanced. */
const noClients = { clientGroupID: "", idsByClient: new Map<string, readonly number[]>() };

/**
 * A db for the server's own code. Each statement is a transaction of its own; an absent id becomes a random UUID. The
 * tables must be there (`ensureSchema`).
 *
 * @throws PlasmaError from its statements: `constraint/*`, `data/*`, `limit/row`; `server/retry` when the database fails.
 * @example
 * const db = createServerDb({ schema, executor });
 * await db.update(todos).set({ state: "done" }).where(lt(todos.due, Date.now()));
 */
export function createServerDb({ schema, executor, env = systemEnv }: ServerDbOptions): Db {
  const deps = { executor, schema, now: () => env.now() };
  const newId = () => env.randomUUID();
  const engine: QueryEngine = {
    select: (query) => runSelect(query, { schema, dialect: executor.dialect }, (statement) => executor.all(statement)),
    write: (node) =>
      withPushTransaction(deps, noClients, (tx) =>
        tx.mutation(null, (store) => runStatement({ schema, store, newId }, node)),
      ),
  };
  return createDb({ schema, engine });
}
