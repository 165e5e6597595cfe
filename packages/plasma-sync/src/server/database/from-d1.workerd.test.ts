import { ensureSchemaSuite } from "../migration/ensure-schema.suite.ts";
import { selectAnswersSuite, withAnswerRows } from "../sql/select-answers.suite.ts";
import { bufferedTransactionSuite } from "./buffered-transaction.suite.ts";
import { freshD1 } from "./d1.fixture.ts";
import { serverTransactionSuite } from "./server-transaction.suite.ts";
import { sqlExecutorSuite } from "./sql-executor.suite.ts";
import { storedValuesSuite } from "./stored-values.suite.ts";
import { writeStatementsSuite } from "./write-statements.suite.ts";

sqlExecutorSuite("D1", freshD1);
storedValuesSuite("D1", freshD1, { runs: 20 });
serverTransactionSuite("D1", freshD1);
writeStatementsSuite("D1", freshD1);
bufferedTransactionSuite("D1", freshD1);
ensureSchemaSuite("D1", freshD1);
selectAnswersSuite("D1", async () => withAnswerRows(await freshD1()));
