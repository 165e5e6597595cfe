// Owns: the rows of the query benches: the same for every engine and every run (the seed is fixed).
// Invariants:
//   1. `createdAt` and `at` are distinct and 1000 apart, so orders are total without ids, and a row fits between any two.
//   2. Rows are never changed: engines may keep them.

export interface User {
  readonly id: string;
  readonly name: string;
}
export interface Issue {
  readonly id: string;
  readonly title: string;
  readonly open: boolean;
  readonly createdAt: number;
  readonly authorId: string;
}
export interface Comment {
  readonly id: string;
  readonly issueId: string;
  readonly text: string;
  readonly at: number;
}
export interface Dataset {
  readonly users: readonly User[];
  readonly issues: readonly Issue[];
  readonly comments: readonly Comment[];
}
export type TableName = keyof Dataset;
export type AnyRow = User | Issue | Comment;

const USERS = 1_000;
const ISSUES = 10_000;
const COMMENTS = 50_000;
const DETAIL_COMMENTS = 50;
export const STEP = 1_000;

const pad = (n: number): string => String(n).padStart(6, "0");
/** The issue of the detail view. */
export const DETAIL_ID = `issue-${pad(4_321)}`;

/** Makes the rows, in an order that is that of no index. */
export function createDataset(): Dataset {
  const random = createRandom(0x5eed);
  const below = (n: number) => Math.floor(random() * n);
  const issueTimes = shuffled(ISSUES, below);
  const commentTimes = shuffled(COMMENTS, below);
  return {
    users: Array.from({ length: USERS }, (_, i) => ({ id: `user-${pad(i)}`, name: `Name of user ${i}` })),
    issues: issueTimes.map((time, i) => ({
      id: `issue-${pad(i)}`,
      title: `Title of issue ${i}, as long as one is`,
      open: random() < 0.7,
      createdAt: time * STEP,
      authorId: `user-${pad(below(USERS))}`,
    })),
    comments: commentTimes.map((time, i) => ({
      id: `comment-${pad(i)}`,
      issueId: i < DETAIL_COMMENTS ? DETAIL_ID : `issue-${pad(below(ISSUES))}`,
      text: `Text of comment ${i}, a line of prose`,
      at: time * STEP,
    })),
  };
}

function shuffled(length: number, below: (n: number) => number): number[] {
  const list = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = below(i + 1);
    [list[i], list[j]] = [list[j] as number, list[i] as number];
  }
  return list;
}

/** Mulberry32: small, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
