// The simulated engines owe what every engine owes.

import { bufferedTransactionSuite } from "../server/database/buffered-transaction.suite.ts";
import { serverTransactionSuite } from "../server/database/server-transaction.suite.ts";
import { sqlExecutorSuite } from "../server/database/sql-executor.suite.ts";
import { writeStatementsSuite } from "../server/database/write-statements.suite.ts";
import { SimDatabase, type SimEngine } from "./sim-database-node.ts";
import { simExecutor } from "./sim-executor.ts";

const open = (engine: SimEngine) => async () => simExecutor(new SimDatabase(engine).executor, async () => undefined);

for (const engine of ["sqlite", "d1"] as const) {
  sqlExecutorSuite(`simulated ${engine}`, open(engine));
  serverTransactionSuite(`simulated ${engine}`, open(engine));
  writeStatementsSuite(`simulated ${engine}`, open(engine));
}
bufferedTransactionSuite("simulated d1", open("d1"));
