// Owns: Plasma's views with nested results. Until the builder has `include` they are not there.

import * as core from "../../packages/plasma-sync/src/core/index.ts";
import type { SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { DETAIL_ID } from "./dataset.ts";
import { comments, issues } from "./plasma-schema.ts";
import { LATEST, PAGE } from "./views.ts";

const { desc, eq, select } = core;

/** Why there are no such views now; null when there are. */
export function lacksNested(): string | null {
  if (!("include" in select().from(issues))) return "not yet: select().include()";
  if (!("count" in core)) return "not yet: count()";
  return null;
}

const open = () => select().from(issues).where(eq(issues.open, true)).orderBy(desc(issues.createdAt)).limit(PAGE);
const ofIssue = () => select().from(comments).where(eq(comments.issueId, issues.id)).orderBy(desc(comments.at));

export const withLatest = (): SelectNode => include(open(), { comments: ofIssue().limit(LATEST) });

export const withCount = (): SelectNode => {
  const { count } = core as unknown as { count(): core.AnyColumn };
  const counted = select({ n: count() }).from(comments).where(eq(comments.issueId, issues.id));
  return include(open(), { count: (counted as unknown as { one(): unknown }).one() });
};

export const detail = (): SelectNode =>
  include(select().from(issues).where(eq(issues.id, DETAIL_ID)), { comments: ofIssue() });

// Typed by hand while the builder's own types are not there.
const include = (query: unknown, includes: object): SelectNode =>
  (query as { include(includes: object): { readonly ast: SelectNode } }).include(includes).ast;
