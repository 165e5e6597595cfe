// Owns: SQLite of Node, in memory, as an executor of cases.

import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "../../packages/plasma-sync/src/server/database/from-node-sqlite.ts";
import { databaseExecutor, type Executor } from "./executors.ts";

export const sqliteExecutor = (): Executor => databaseExecutor("SQLite", fromNodeSqlite(new DatabaseSync(":memory:")));
