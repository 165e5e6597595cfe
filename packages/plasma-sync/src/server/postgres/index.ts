// Owns: the public surface of `plasma-sync/server/postgres`.

export { fromPostgres } from "../database/from-postgres.ts";
export type { PostgresSession } from "../database/postgres-session.ts";
export type { PostgresSql } from "../database/postgres-transaction.ts";
