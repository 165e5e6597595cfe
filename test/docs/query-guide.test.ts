// The code that the query guide shows is a program that the compiler checks; here it runs, on rows in memory.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { examples, schema, type comments, type issues, type users } from "../../docs/guides/query-examples.ts";
import type { InferRow } from "../../packages/plasma-sync/src/core/index.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";
import { memoryDb } from "./memory-db.ts";

const people: InferRow<typeof users>[] = [
  { id: "ada", name: "Ada", email: "ada@example.org" },
  { id: "bob", name: "Bob", email: "bob@example.com" },
  { id: "cyd", name: "Cyd", email: "cyd@example.org" },
];

type Issue = InferRow<typeof issues>;
const issue = (
  number: number,
  values: Pick<Issue, "title" | "points" | "authorId" | "reviewerId"> & Partial<Issue>,
): Issue => ({
  id: `i${number}`,
  state: "open",
  createdAt: number * 1000,
  ...values,
});
const work: Issue[] = [
  issue(1, { title: "Fix sink", points: 3, authorId: "ada", reviewerId: "bob" }),
  issue(2, { title: "Paint wall", points: null, authorId: "bob", reviewerId: null }),
  issue(3, { title: "Fix lamp", points: 5, authorId: "ada", reviewerId: "cyd", state: "done" }),
  issue(7, { title: "Fix roof", points: 1, authorId: "ada", reviewerId: "bob" }),
];
const said: InferRow<typeof comments>[] = [
  { id: "c1", issueId: "i1", userId: "bob", body: "Which?", at: 1 },
  { id: "c2", issueId: "i1", userId: "ada", body: "The left one", at: 2 },
  { id: "c3", issueId: "i1", userId: "cyd", body: "Mine too", at: 3 },
  { id: "c4", issueId: "i3", userId: "ada", body: "Thanks", at: 4 },
];

const answers: Record<keyof typeof examples, unknown> = {
  all: [["i1", "i2", "i7"], { title: "Fix sink", made: 1000 }],
  one: [people[0], "Ada"],
  conditions: ["i1", "i3"],
  optional: [4, ["i3"]],
  join: ["Fix sink: Which?", "Fix sink: The left one", "Fix sink: Mine too"],
  twice: [
    { title: "Fix lamp", by: "Ada", checkedBy: "Cyd" },
    { title: "Fix roof", by: "Ada", checkedBy: "Bob" },
    { title: "Fix sink", by: "Ada", checkedBy: "Bob" },
    { title: "Paint wall", by: "Bob", checkedBy: null },
  ],
  outer: [
    5,
    [
      [null, "ada"],
      [null, "cyd"],
      ["i2", null],
      ["i3", null],
    ],
  ],
  groups: [{ authorId: "ada", n: 3, estimated: 3, reviewers: 2, points: 9, mean: 3, first: 1000, last: 7000 }],
  total: { n: 0, points: null },
  distinct: [{ state: "done" }, { state: "open" }],
  pages: 0,
  cursor: [["i7", "i3", "i2"], ["i1"]],
  exists: [
    ["i1", "i3"],
    ["i2", "i7"],
  ],
  among: [3, ["i2"]],
  rule: "or",
  derived: [{ name: "Ada", n: 3 }],
  nested: ["Fix sink, Ada: 2 of 3", "Paint wall, Bob: 0 of 0", "Fix roof, Ada: 0 of 0"],
  live: [
    ["Fix roof", "Fix sink", "Paint wall"],
    ["Fix roof", "Fix the tap", "Paint wall"],
  ],
  deltas: [["i1", "The last"]],
  ready: [[{ n: 4 }], true],
  insert: ["Ada", "Cyd", "Eve", "Robert"],
  update: [
    { state: "done", points: null },
    { state: "done", points: 2 },
    { state: "done", points: 3 },
    { state: "done", points: 5 },
  ],
  explain: [
    [
      "from issues: index on state asc, createdAt desc, id asc, read in order",
      "include author: for each row that is shown",
      "  from users: by id",
    ],
    2,
    4,
  ],
};

test.for(Object.keys(examples) as (keyof typeof examples)[])(
  "the guide's example %s gives what it says",
  async (name) => {
    const db = memoryDb(schema, { users: people, issues: work, comments: said });
    expect(await examples[name](db)).toEqual(answers[name]);
  },
);

test("the guide shows its program, region by region", () => {
  const blocks = blocksOf("queries.md");
  expect(blocks.length).toBeGreaterThan(20);
  expect(blocks).toEqual(regionsOf("query-examples.ts"));
});

test("the guide names every way in which a query can be refused", () => {
  const codesIn = (path: string): Set<string> =>
    new Set(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8").match(/query\/[a-z]+(-[a-z]+)*(?=["`])/g));
  expect(codesIn("docs/guides/queries.md")).toEqual(codesIn("packages/plasma-sync/src/core/error.ts"));
});
