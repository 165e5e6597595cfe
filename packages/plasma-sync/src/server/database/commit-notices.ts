// Owns: notices of commits between the processes that share a Postgres: who sends them, and listening to them.
// Invariants:
//   1. A transaction that writes a synced table, raw SQL included, sends one notice, which Postgres delivers when it commits
//      and never when it rolls back. Many writes of one transaction are one notice.
//   2. A notice says that something has changed, never what: its payload is the schema that holds the tables, since the
//      names of channels are shared by the whole database.
//   3. What is sent while nobody listens is lost: whoever listens again is told that something may have changed.
// A commit with a notice holds a lock of the whole Postgres server while it is written. Those of one database take turns
// anyway (log-order.ts).

import { execute } from "./postgres-session.ts";
import type { PostgresSql } from "./postgres-transaction.ts";

const CHANNEL = "plasma_commits";

/** For a trigger's function whose search path is that of the tables. */
export const TELL_OF_COMMIT = `PERFORM pg_notify('${CHANNEL}', current_schema())`;

/**
 * Listens on a connection of its own, which the package opens anew when it is lost, until the app ends the handle. Rejects
 * when the first try fails.
 */
export async function watchCommits(sql: PostgresSql, onCommit: () => void): Promise<() => void> {
  let isWatching = true;
  const tell = () => {
    if (isWatching) onCommit();
  };
  const [row] = (await execute(sql, { text: "SELECT current_schema() AS name", params: [] })).rows;
  const schema = row?.["name"];
  const { unlisten } = await sql.listen(CHANNEL, (payload) => payload === schema && tell(), tell);
  return () => {
    isWatching = false;
    // Without a connection there is nothing to unlisten.
    unlisten().catch(() => undefined);
  };
}
