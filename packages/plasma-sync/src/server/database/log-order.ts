// Owns: the lock that gives the change log of Postgres one order: docs/decisions/0007-log-order-on-postgres.md.
// Invariants:
//   1. Whoever writes a synced table or the log holds the lock from before its first row version to its commit. So versions
//      become visible in their order, and a pull that has read up to one skips none below it.
//   2. A push takes the lock before its snapshot is made: it sees everything that was committed before it. LOCK TABLE needs
//      no snapshot; a select of an advisory lock would, before it waits.
//   3. Nobody waits longer than `limits.postgresLockWaitMsMax`. Reads never wait: their lock does not conflict.
//   4. Who holds the lock and runs nothing for `limits.postgresIdleMsMax` is ended by the server: a process that was frozen,
//      or cut off, would hold up every other one's pushes until its connection is found dead.

import * as limits from "../../core/limits.ts";
import type { DialectName, SqlStatement } from "./sql-executor.ts";

/** Always empty: it is there to be locked. */
export const LOG_ORDER_TABLE = "_plasma_log_order";
/** The trigger function that takes the lock. */
export const LOG_ORDER_FUNCTION = "_plasma_hold_log_order";

const boundWait: SqlStatement = { text: `SET LOCAL lock_timeout = ${limits.postgresLockWaitMsMax}`, params: [] };
const boundIdling: SqlStatement = {
  text: `SET LOCAL idle_in_transaction_session_timeout = ${limits.postgresIdleMsMax}`,
  params: [],
};
const takeLock: SqlStatement = { text: `LOCK TABLE ${LOG_ORDER_TABLE} IN EXCLUSIVE MODE`, params: [] };

/** The first statements of a transaction that writes the log. SQLite has one writer anyway. */
export const holdLogOrder = (dialect: DialectName): readonly SqlStatement[] =>
  dialect === "postgres" ? [boundWait, boundIdling, takeLock] : [];

/** IF NOT EXISTS tells of each thing that exists, and the package prints that. */
export const withoutNotices: SqlStatement = { text: "SET LOCAL client_min_messages = warning", params: [] };

/** Any number that nobody else uses: it is the same in every process. */
const CREATION_KEY = "8099013170341";

/** Creates the table that is locked. Two processes that create a table at once would trip over each other in the catalogs. */
export const createLogOrder: readonly SqlStatement[] = [
  boundWait,
  withoutNotices,
  { text: `SELECT pg_advisory_xact_lock(${CREATION_KEY})`, params: [] },
  { text: `CREATE TABLE IF NOT EXISTS ${LOG_ORDER_TABLE} ()`, params: [] },
];
