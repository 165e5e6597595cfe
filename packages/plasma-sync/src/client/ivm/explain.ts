// Owns: explainPlan: a plan in words, for people who wonder why a query reads so much.

import type { QueryExplanation } from "../../core/query/query-engine.ts";
import type { Access } from "./plan-access.ts";
import { planQuery, type QueryPlan } from "./plan.ts";
import { freeColumns } from "./source-names.ts";

/** The steps of a plan, those of nested selects indented. */
export const explainPlan = (plan: QueryPlan): QueryExplanation["steps"] => stepsOf(plan, "");

function stepsOf(plan: QueryPlan, indent: string): string[] {
  const { query, sources, access, joins, subqueries, boundSubqueries } = plan;
  const nameOf = (slot: number): string => {
    const source = sources[slot];
    if (source === undefined) return "";
    const table = source.query === null ? source.table : "a subquery";
    return source.name === table ? source.name : `${source.name} (${table})`;
  };
  const steps = [`${indent}from ${nameOf(0)}: ${accessOf(access)}`];
  for (const [i, { kind, link }] of joins.entries())
    steps.push(
      `${indent}${kind} join ${nameOf(i + 1)}: ${link === null ? "every row is tried" : `by ${link.joinedColumn}`}`,
    );
  const tested = subqueries.length + boundSubqueries.length;
  if (tested > 0)
    steps.push(`${indent}${tested} condition${tested > 1 ? "s" : ""} with subqueries, tested for each row`);
  if (sources[0]?.query !== null && sources[0]?.query !== undefined)
    steps.push(...stepsOf(planQuery(sources[0].query, plan.schema), `${indent}  `));
  for (const include of query.includes) {
    const inner = planQuery(include.query, plan.schema, plan.names);
    const isOnce = freeColumns(include.query).length === 0;
    steps.push(`${indent}include ${include.key}: ${isOnce ? "the same for every row" : "for each row that is shown"}`);
    steps.push(...stepsOf(inner, `${indent}  `));
  }
  return steps;
}

function accessOf(access: Access): string {
  switch (access.type) {
    case "ids":
      return "by id";
    case "lookup":
      return `index on ${access.spec.columns.map(({ column }) => column).join(", ")}`;
    case "ordered":
      return `index on ${access.spec.columns.map(({ column, direction }) => `${column} ${direction}`).join(", ")}, read in order`;
    default:
      return "every row";
  }
}
