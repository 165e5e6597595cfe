import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { fromD1 } from "./from-d1.ts";
import { sqlExecutorSuite } from "./sql-executor.suite.ts";
import { storedValuesSuite } from "./stored-values.suite.ts";

const open = async () => {
  await reset();
  return fromD1(env.DB);
};

sqlExecutorSuite("D1", open);
storedValuesSuite("D1", open, { runs: 20 });
