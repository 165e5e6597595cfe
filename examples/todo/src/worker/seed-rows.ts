// Owns: how rows of a seed are written, and what they are made of.
import type { D1Database } from "@cloudflare/workers-types";

/** The values of a row, in this order. */
const COLUMNS = {
  users: ["id", "name"],
  lists: ["id", "name", "color", "ownerId", "createdAt"],
  members: ["id", "listId", "userId", "addedAt"],
  todos: ["id", "listId", "title", "note", "due", "authorId", "createdAt"],
  ticks: ["id", "todoId", "userId", "at"],
} as const;

/** One statement for rows that are not there yet, any number of them: they travel as one JSON parameter. */
export function insert(database: D1Database, table: keyof typeof COLUMNS, rows: readonly unknown[][]) {
  const names = COLUMNS[table].map((column) => `"${column}"`).join(", ");
  const values = COLUMNS[table].map((_, i) => `value ->> ${i}`).join(", ");
  return database
    .prepare(`INSERT OR IGNORE INTO "${table}" (${names}) SELECT ${values} FROM json_each(?)`)
    .bind(JSON.stringify(rows));
}

export const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** A small deterministic generator (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
