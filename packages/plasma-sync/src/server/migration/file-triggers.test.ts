import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { fileTriggersSuite } from "./file-triggers.suite.ts";

const pg = usePostgres();

fileTriggersSuite("node:sqlite", async () => memoryDatabase());
fileTriggersSuite("Postgres", async () => fromPostgres(await pg.open()));
