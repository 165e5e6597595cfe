import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { batchOnly } from "./memory-database-node.fixture.ts";
import { serialOrderSuite } from "./serial-order.suite.ts";

const open = async () => {
  const db = new DatabaseSync(":memory:");
  return [fromNodeSqlite(db), fromNodeSqlite(db)];
};

serialOrderSuite("node:sqlite", open, { runs: 100 });
serialOrderSuite("node:sqlite, batches only", async () => (await open()).map(batchOnly), { runs: 100 });
