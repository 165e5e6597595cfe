import { fromPostgres } from "./database/from-postgres.ts";
import { usePostgres } from "./database/postgres-server.fixture.ts";
import { describeServerLiveSelect } from "./server-live-select.suite.ts";
import { memoryDatabase } from "./sync/memory-database-node.fixture.ts";

const pg = usePostgres();

describeServerLiveSelect("node:sqlite", memoryDatabase);
describeServerLiveSelect("Postgres", async () => fromPostgres(await pg.open()));
