// Owns: running several statements on one connection, none after one that failed. On Postgres they are sent together, so
// that they cost one round trip.

import type { DialectName, SqlConnection, SqlRow, SqlStatement } from "./sql-executor.ts";

/** Each statement's rows, or its failure; after the first failure every one fails. */
export function runInOrder(
  dialect: DialectName,
  connection: SqlConnection,
  statements: readonly SqlStatement[],
): readonly Promise<readonly SqlRow[]>[] {
  const answers: Promise<readonly SqlRow[]>[] = [];
  for (const statement of statements) {
    const previous = answers.at(-1);
    // Postgres itself refuses what comes after a failure in a transaction.
    const isNext = dialect === "postgres" || previous === undefined;
    const answer = isNext ? connection.all(statement) : previous.then(() => connection.all(statement));
    // Who waits for the first failure asks no more for those that follow from it.
    answer.catch(() => undefined);
    answers.push(answer);
  }
  return answers;
}
