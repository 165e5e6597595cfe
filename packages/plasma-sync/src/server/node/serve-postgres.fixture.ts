// Owns: a server as a process of its own on a Postgres, for tests. Its arguments: the port of Postgres, the schema of the
// tables. It prints "listening <port>".

import postgres from "postgres";
import { fromPostgres } from "../database/from-postgres.ts";
import { authOf, mutators, schema } from "../sync/sync-server.fixture.ts";
import { serve } from "./serve.ts";

const [port = "", tables = "public"] = process.argv.slice(2);
const where = { host: "127.0.0.1", port: Number(port), user: "postgres", database: "postgres" };
const executor = fromPostgres(postgres({ ...where, max: 2, connection: { search_path: tables } }));
const server = await serve({
  schema,
  mutators,
  executor,
  schemaVersion: "1",
  port: 0,
  hostname: "127.0.0.1",
  auth: authOf,
});
console.log(`listening ${server.port}`);
