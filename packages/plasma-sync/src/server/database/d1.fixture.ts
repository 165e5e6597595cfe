// Owns: an empty D1 database for tests in workerd.

import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { fromD1 } from "./from-d1.ts";
import type { SqlExecutor } from "./sql-executor.ts";

export async function freshD1(): Promise<SqlExecutor> {
  // `reset` passes over a database that has left memory after some idle seconds.
  await env.DB.prepare("SELECT 1").all();
  await reset();
  return fromD1(env.DB);
}
