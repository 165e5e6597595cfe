// Owns: SQLite in memory as an executor of generated cases.

import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "../../packages/plasma-sync/src/server/database/from-node-sqlite.ts";
import type { Follower } from "./check-case.ts";
import { createFollower } from "./sql-follower.ts";

/** SQLite in memory, one database for all cases. */
export function sqliteFollower(): Follower {
  const db = new DatabaseSync(":memory:");
  return createFollower(
    "SQLite",
    async () => fromNodeSqlite(db),
    async () => undefined,
  );
}
