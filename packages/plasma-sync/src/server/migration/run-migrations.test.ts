import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { runMigrationsSuite } from "./run-migrations.suite.ts";

runMigrationsSuite("node:sqlite", async () => fromNodeSqlite(new DatabaseSync(":memory:")));
