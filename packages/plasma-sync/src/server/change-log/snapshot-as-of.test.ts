import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { batchOnly, memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { describeSnapshotAsOf } from "./snapshot-as-of.suite.ts";

const pg = usePostgres();

describeSnapshotAsOf("node:sqlite", memoryDatabase);
describeSnapshotAsOf("an engine without transactions", () => batchOnly(memoryDatabase()));
describeSnapshotAsOf("Postgres", async () => fromPostgres(await pg.open()));
