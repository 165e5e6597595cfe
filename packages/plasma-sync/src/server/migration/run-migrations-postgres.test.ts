import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { runMigrationsSuite } from "./run-migrations.suite.ts";

const postgres = usePostgres();
runMigrationsSuite("postgres", async () => fromPostgres(await postgres.open()));
