import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ensureSchemaSuite } from "../migration/ensure-schema.suite.ts";
import { selectAnswersSuite, withAnswerRows } from "../sql/select-answers.suite.ts";
import { bufferedTransactionSuite } from "./buffered-transaction.suite.ts";
import { fromD1 } from "./from-d1.ts";
import { serverTransactionSuite } from "./server-transaction.suite.ts";
import { sqlExecutorSuite } from "./sql-executor.suite.ts";
import { storedValuesSuite } from "./stored-values.suite.ts";
import { writeStatementsSuite } from "./write-statements.suite.ts";

const open = async () => {
  await reset();
  return fromD1(env.DB);
};

sqlExecutorSuite("D1", open);
storedValuesSuite("D1", open, { runs: 20 });
serverTransactionSuite("D1", open);
writeStatementsSuite("D1", open);
bufferedTransactionSuite("D1", open);
ensureSchemaSuite("D1", open);
selectAnswersSuite("D1", async () => withAnswerRows(await open()));
