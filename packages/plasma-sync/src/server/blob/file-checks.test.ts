import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { batchOnly, memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { fileChecksSuite } from "./file-checks.suite.ts";

const pg = usePostgres();

fileChecksSuite("node:sqlite", async () => memoryDatabase());
fileChecksSuite("batches only", async () => batchOnly(memoryDatabase()));
fileChecksSuite("Postgres", async () => fromPostgres(await pg.open()));
