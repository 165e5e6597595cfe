import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "./from-node-sqlite.ts";
import { sqlExecutorSuite } from "./sql-executor.suite.ts";
import { storedValuesSuite } from "./stored-values.suite.ts";

const open = async () => fromNodeSqlite(new DatabaseSync(":memory:"));

sqlExecutorSuite("node:sqlite", open);
storedValuesSuite("node:sqlite", open, { runs: 300 });
