// Owns: the tables of the query benches as an app would declare them.

import { boolean, defineSchema, id, int, ref, table, text } from "../../packages/plasma-sync/src/core/index.ts";

export const users = table("users", { id: id(), name: text() });
export const issues = table(
  "issues",
  { id: id(), title: text(), open: boolean(), createdAt: int(), authorId: ref(() => users.id) },
  { indexes: (t) => [[t.open, t.createdAt]] },
);
export const comments = table(
  "comments",
  { id: id(), issueId: ref(() => issues.id), text: text(), at: int() },
  { indexes: (t) => [[t.issueId, t.at]] },
);
export const schema = defineSchema({ users, issues, comments });
