import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { objectExecutor } from "../database/durable-object.fixture.ts";
import { fromD1 } from "../database/from-d1.ts";
import { runMigrationsSuite } from "./run-migrations.suite.ts";

runMigrationsSuite("D1", async () => {
  await reset();
  return fromD1(env.DB);
});
runMigrationsSuite("Durable Object", async () => objectExecutor());
