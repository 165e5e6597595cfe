// Rules that look into other tables, on the engines of Node.

import { batchOnly, memoryDatabase } from "./memory-database-node.fixture.ts";
import { rulesSuite } from "./rules.suite.ts";

rulesSuite("node:sqlite", async () => memoryDatabase(), { runs: 80 });
rulesSuite("an engine without transactions", async () => batchOnly(memoryDatabase()), { runs: 25 });
