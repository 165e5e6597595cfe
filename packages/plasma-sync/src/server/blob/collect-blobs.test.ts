import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { batchOnly, memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { collectBlobsSuite } from "./collect-blobs.suite.ts";

const pg = usePostgres();

collectBlobsSuite("node:sqlite", async () => memoryDatabase());
collectBlobsSuite("batches only", async () => batchOnly(memoryDatabase()));
collectBlobsSuite("Postgres", async () => fromPostgres(await pg.open()));
