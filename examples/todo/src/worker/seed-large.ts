// Owns: the rows of the large demo (`npm run todo:large`): one list of very many todos, beside the usual ones.
// Invariants:
//   1. The same rows each time, but for dates, which are counted from today.
//   2. May be repeated and may run twice at once: rows that are there already stay.
import type { D1Database } from "@cloudflare/workers-types";
import { SEED_LISTS } from "./seed-lists.ts";
import { createRandom, dayText, insert } from "./seed-rows.ts";

const LIST = "seed-large";
const OWNER = "ada";
const GUEST = "grace";
/** Rows in one statement: they are one JSON parameter, of which D1 takes 2 MB. */
const ROWS_PER_STATEMENT = 4000;
const DAY_MS = 86_400_000;
const AGE_MS_MAX = 3 * 365 * DAY_MS;

/** Adds the large list with `count` todos. */
export async function seedLarge(database: D1Database, count: number): Promise<void> {
  const nowMs = Date.now();
  const madeAt = nowMs - AGE_MS_MAX;
  const random = createRandom(count);
  const people = [OWNER, GUEST].map((id, n) => [`${LIST}-${id}`, LIST, id, madeAt + n]);
  await database.batch([
    insert(database, "lists", [[LIST, "Everything", "sea", OWNER, madeAt]]),
    insert(database, "members", people),
  ]);
  for (let from = 0; from < count; from += ROWS_PER_STATEMENT) {
    const todos: unknown[][] = [];
    const ticks: unknown[][] = [];
    for (let n = from; n < Math.min(count, from + ROWS_PER_STATEMENT); n++) {
      const createdAt = nowMs - Math.round((AGE_MS_MAX * (n + random())) / count);
      addTodo({ todos, ticks }, { n, createdAt, nowMs, random });
    }
    await database.batch([insert(database, "todos", todos), insert(database, "ticks", ticks)]);
  }
}

const TITLES = SEED_LISTS.flatMap((list) => list.titles);

function addTodo(
  rows: { readonly todos: unknown[][]; readonly ticks: unknown[][] },
  { n, createdAt, nowMs, random }: { n: number; createdAt: number; nowMs: number; random: () => number },
): void {
  // An id as apps have them: its order says nothing of the order in which todos are shown.
  const id = `${hex(random())}${hex(random())}-${n}`;
  const title = `${TITLES[Math.floor(random() * TITLES.length)]} (${n + 1})`;
  const author = random() < 0.7 ? OWNER : GUEST;
  const note = random() < 0.08 ? "Ask first, then write down who said what." : "";
  const due = random() < 0.2 ? dayText(nowMs + Math.floor(random() * 60 - 10) * DAY_MS) : null;
  rows.todos.push([id, LIST, title, note, due, author, createdAt]);
  if (random() < 0.5) rows.ticks.push([id, id, author, Math.min(nowMs, createdAt + 60_000)]);
}

const hex = (part: number): string =>
  Math.floor(part * 0x1_0000_0000)
    .toString(16)
    .padStart(8, "0");
