// Conflicts on the engines of Node.

import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { conflictsSuite } from "./conflicts.suite.ts";
import { batchOnly, memoryDatabase } from "./memory-database-node.fixture.ts";

const postgres = usePostgres();

conflictsSuite("node:sqlite", async () => memoryDatabase());
conflictsSuite("an engine without transactions", async () => batchOnly(memoryDatabase()));
conflictsSuite("postgres", async () => fromPostgres(await postgres.open({ max: 2 })));
