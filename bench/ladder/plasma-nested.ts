// Owns: Plasma's views with nested results. While the query runtime does not answer `include`, they are not there.

import { createQueryRuntime } from "../../packages/plasma-sync/src/client/ivm/create-query-runtime.ts";
import { count, desc, eq, select, type Row, type SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { DETAIL_ID } from "./dataset.ts";
import { comments, issues, schema } from "./plasma-schema.ts";
import { LATEST, PAGE } from "./views.ts";

const open = () => select().from(issues).where(eq(issues.open, true)).orderBy(desc(issues.createdAt)).limit(PAGE);
const ofIssue = () => select().from(comments).where(eq(comments.issueId, issues.id)).orderBy(desc(comments.at));
const counted = () => select({ n: count() }).from(comments).where(eq(comments.issueId, issues.id)).one();

export const withLatest = (): SelectNode => open().include({ comments: ofIssue().limit(LATEST) }).ast;
export const withCount = (): SelectNode => open().include({ count: counted() }).ast;
export const detail = (): SelectNode =>
  select().from(issues).where(eq(issues.id, DETAIL_ID)).include({ comments: ofIssue() }).ast;

/** Why there are no such views now; null when there are. Asks for the key only: what it holds is the harness's to compare. */
export function lacksNested(): string | null {
  const runtime = createQueryRuntime({ schema });
  runtime.fill("issues", [{ id: DETAIL_ID, title: "", open: true, createdAt: 0, authorId: "" }] satisfies Row[]);
  runtime.setStatus("complete");
  let row: object | undefined;
  runtime.live(detail()).subscribe((rows) => (row = rows[0]))();
  return row !== undefined && "comments" in row ? null : "not yet: include in the query runtime";
}
