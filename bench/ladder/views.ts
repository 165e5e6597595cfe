// Owns: what the six views hold, by plain JavaScript over plain rows (the answer that every engine must give), and the rows
// that are added to them and removed again.

import { DETAIL_ID, STEP, type AnyRow, type Comment, type Dataset, type Issue } from "./dataset.ts";

export const PAGE = 50;
export const LATEST = 3;

export const viewNames = ["newest", "author", "count", "latest", "detail", "page2"] as const;
export type ViewName = (typeof viewNames)[number];

export const viewTitles: { readonly [name in ViewName]: string } = {
  newest: "newest 50 open issues",
  author: "+ author",
  count: "+ comment count",
  latest: "+ 3 latest comments",
  detail: "one issue with its 50 comments",
  page2: "page 2",
};

/** One row that is added and removed. */
export interface Edit {
  readonly table: "issues" | "comments";
  readonly row: AnyRow;
}

const newestFirst = (a: Issue, b: Issue): number => b.createdAt - a.createdAt;
const latestFirst = (a: Comment, b: Comment): number => b.at - a.at;

/** What the view holds: issues, with `author`, `count` or `comments`. */
export function answerOf(view: ViewName, data: Dataset): readonly object[] {
  const open = data.issues.filter((issue) => issue.open).sort(newestFirst);
  const page = open.slice(0, PAGE);
  const commentsOf = ({ id }: Issue) => data.comments.filter(({ issueId }) => issueId === id).sort(latestFirst);
  switch (view) {
    case "newest":
      return page;
    case "author":
      return page.map((issue) => ({ ...issue, author: data.users.find(({ id }) => id === issue.authorId) }));
    case "count":
      return page.map((issue) => ({ ...issue, count: commentsOf(issue).length }));
    case "latest":
      return page.map((issue) => ({ ...issue, comments: commentsOf(issue).slice(0, LATEST) }));
    case "detail":
      return data.issues.filter(({ id }) => id === DETAIL_ID).map((i) => ({ ...i, comments: commentsOf(i) }));
    case "page2":
      return open.slice(PAGE, 2 * PAGE);
  }
}

/** Edit number `k` of a view: it lands in the view, at changing places, and pushes nothing out of a page before it. */
export function editsOf(view: ViewName, data: Dataset): (k: number) => Edit {
  const place = (k: number) => (k * 7) % PAGE;
  if (view === "detail") {
    const { comments } = answerOf(view, data)[0] as { readonly comments: readonly Comment[] };
    return (k) => newComment(k, DETAIL_ID, (comments[place(k)] as Comment).at + STEP / 2);
  }
  const rows = answerOf(view === "page2" ? "page2" : "newest", data) as readonly Issue[];
  const at = (k: number) => rows[place(k)] as Issue;
  if (view === "count" || view === "latest") {
    const last = data.comments.length * STEP;
    return (k) => newComment(k, at(k).id, last + k);
  }
  return (k) => ({
    table: "issues",
    row: {
      id: `new-${k}`,
      title: `Title of new issue ${k}`,
      open: true,
      createdAt: at(k).createdAt + STEP / 2,
      authorId: at(k).authorId,
    },
  });
}

const newComment = (k: number, issueId: string, at: number): Edit => ({
  table: "comments",
  row: { id: `new-${k}`, issueId, text: `Text of new comment ${k}`, at },
});

/** The rows with one more. */
export const withEdit = (data: Dataset, { table, row }: Edit): Dataset => ({
  ...data,
  [table]: [...data[table], row],
});

/** Where page 2 starts: the last row of page 1, for engines that page by cursor. */
export const cursorOf = (data: Dataset): Issue => answerOf("newest", data).at(-1) as Issue;
