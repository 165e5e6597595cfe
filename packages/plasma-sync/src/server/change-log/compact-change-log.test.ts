import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { batchOnly, memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { describeCompaction } from "./compact-change-log.suite.ts";

const pg = usePostgres();

describeCompaction("node:sqlite", memoryDatabase);
describeCompaction("an engine without transactions", () => batchOnly(memoryDatabase()));
describeCompaction("Postgres", async () => fromPostgres(await pg.open()));
