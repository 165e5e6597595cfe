import { describeFaults } from "./faults.suite.ts";
import { batchOnly, memoryDatabase } from "./memory-database-node.fixture.ts";

describeFaults("node:sqlite", memoryDatabase);
describeFaults("an engine without transactions", () => batchOnly(memoryDatabase()));
