import { batchOnly, memoryDatabase } from "./memory-database-node.fixture.ts";
import { describePush } from "./push.suite.ts";

describePush("node:sqlite", memoryDatabase);
describePush("an engine without transactions", () => batchOnly(memoryDatabase()));
