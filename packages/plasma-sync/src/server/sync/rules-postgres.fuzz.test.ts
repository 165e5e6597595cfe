// Rules that look into other tables, on a real Postgres.

import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { rulesSuite } from "./rules.suite.ts";

const postgres = usePostgres();

rulesSuite("postgres", async () => fromPostgres(await postgres.open({ max: 2 })), { runs: 12 });
