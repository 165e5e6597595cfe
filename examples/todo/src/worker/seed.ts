// Owns: the rows of a new database: three people, their lists, a few hundred todos.
// Invariants:
//   1. The same rows each time, but for dates, which are counted from today.
//   2. All or nothing, in one batch (the large list comes before it); of first requests that come together one seeds, and the
//      others change nothing.
import type { D1Database } from "@cloudflare/workers-types";
import { PEOPLE } from "../people.ts";
import { seedLarge } from "./seed-large.ts";
import { SEED_LISTS, type SeedList } from "./seed-lists.ts";
import { createRandom, dayText, insert } from "./seed-rows.ts";

const DAY_MS = 86_400_000;
const AGE_DAYS_MAX = 45;

interface Rows {
  readonly lists: unknown[][];
  readonly members: unknown[][];
  readonly todos: unknown[][];
  readonly ticks: unknown[][];
}

/** Fills the tables when there are no people yet. `largeCount`: todos of one more, large list; 0 is none. */
export async function seedWhenEmpty(database: D1Database, largeCount = 0): Promise<void> {
  if (await hasPeople(database)) return;
  // Before the people, who say that all is there.
  if (largeCount > 0) await seedLarge(database, largeCount);
  const { lists, members, todos, ticks } = seedRows(Date.now());
  const people = PEOPLE.map(({ id, name }) => [id, name]);
  await database.batch([
    insert(database, "lists", lists),
    insert(database, "members", members),
    insert(database, "todos", todos),
    insert(database, "ticks", ticks),
    insert(database, "users", people),
  ]);
}

async function hasPeople(database: D1Database): Promise<boolean> {
  return (await database.prepare("SELECT 1 FROM users LIMIT 1").first()) !== null;
}

function seedRows(nowMs: number): Rows {
  const random = createRandom(20_26);
  const rows: Rows = { lists: [], members: [], todos: [], ticks: [] };
  const listCount = SEED_LISTS.length;
  SEED_LISTS.forEach((list, i) =>
    addList(rows, list, { id: `seed-list-${i}`, nowMs, random, daysOld: 60 + listCount - i }),
  );
  return rows;
}

interface Seeding {
  readonly id: string;
  readonly nowMs: number;
  readonly daysOld: number;
  readonly random: () => number;
}

function addList(rows: Rows, list: SeedList, { id, nowMs, daysOld, random }: Seeding): void {
  const madeAt = nowMs - daysOld * DAY_MS;
  rows.lists.push([id, list.name, list.color, list.owner, madeAt]);
  const people = [list.owner, ...(list.members ?? [])];
  people.forEach((person, n) => rows.members.push([`${id}-${person}`, id, person, madeAt + n]));
  list.titles.forEach((title, n) => {
    const todoId = `${id}-${String(n).padStart(3, "0")}`;
    const createdAt = Math.round(nowMs - random() * AGE_DAYS_MAX * DAY_MS);
    const author = people[Math.floor(random() * people.length)];
    const due = random() < 0.35 ? dayText(nowMs + Math.floor(random() * 24 - 4) * DAY_MS) : null;
    rows.todos.push([todoId, id, title, list.notes?.[title] ?? "", due, author, createdAt]);
    // Older todos are more often done.
    if (random() < ((nowMs - createdAt) / (AGE_DAYS_MAX * DAY_MS)) * 0.75) {
      const by = people[Math.floor(random() * people.length)];
      rows.ticks.push([todoId, todoId, by, Math.round(createdAt + random() * (nowMs - createdAt))]);
    }
  });
}
