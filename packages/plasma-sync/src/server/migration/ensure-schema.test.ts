import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { ensureSchemaSuite } from "./ensure-schema.suite.ts";

ensureSchemaSuite("node:sqlite", async () => fromNodeSqlite(new DatabaseSync(":memory:")));
