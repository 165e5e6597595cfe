// Owns: reading the todo server's database from outside, to see what has arrived, how often, and in which order.
import { globSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { must } from "../../packages/plasma-sync/src/core/lib/assert.ts";
import type { TodoServer } from "./todo-server.ts";

/** Runs one select. The server may be running or not. */
export function readDatabase<T>(server: TodoServer, text: string, ...params: string[]): T[] {
  const files = globSync("**/d1/**/*.sqlite", { cwd: server.stateDir }).filter(
    (file) => !file.endsWith("metadata.sqlite"),
  );
  const database = new DatabaseSync(`${server.stateDir}/${must(files[0], "the todo server has a database")}`, {
    readOnly: true,
  });
  try {
    return database.prepare(text).all(...params) as T[];
  } finally {
    database.close();
  }
}

/** Titles of the todos that `user` has added, in the order in which the server took them; one per time. */
export function addedTitles(server: TodoServer, user: string): string[] {
  const text = `SELECT value ->> '$.title' AS title FROM _plasma_changes
    WHERE table_name = 'todos' AND op = 'put' AND before IS NULL AND client_group_id = ? ORDER BY row_version`;
  return readDatabase<{ title: string }>(server, text, user).map(({ title }) => title);
}

/** How often a todo of this title is there. */
export function countTodos(server: TodoServer, title: string): number {
  const [row] = readDatabase<{ n: number }>(server, "SELECT count(*) AS n FROM todos WHERE title = ?", title);
  return row?.n ?? 0;
}

/** Ids of mutations that the server has processed more than once, as `client/id`. Empty is right. */
export function repeatedMutations(server: TodoServer): string[] {
  const text = `SELECT client_id || '/' || mutation_id AS id FROM _plasma_changes
    WHERE op = 'ack' GROUP BY client_id, mutation_id HAVING count(*) > 1`;
  return readDatabase<{ id: string }>(server, text).map(({ id }) => id);
}
