// Owns: generated cases: a world, a query, and a history of commits.

import { isDeepStrictEqual } from "node:util";
import type { AnySelect, ResultRow, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { evaluate } from "../../packages/plasma-sync/src/core/query/evaluate.ts";
import { tablesOf } from "../../packages/plasma-sync/src/core/query/tables-of.ts";
import type { Draw } from "./draw.ts";
import { rowsOf, type Case, type Overlaid, type Step } from "./case.ts";
import { drawQuery } from "./generate.ts";
import { showOf } from "./show.ts";
import { applyChanges, copyRows, drawChanges, drawRows, drawWorld, type Rows, type World } from "./world.ts";

const STEPS = 5;
/** A query without rows, or a commit that alters nothing, is mostly drawn again. */
const TRIES = 3;

export function drawCase(draw: Draw): Case {
  const world = drawWorld(draw);
  const rows = drawRows(draw, world);
  const start = copyRows(rows);
  const { query, rest } = drawFruitful(draw, world, rows);
  const expected = evaluate(query, rowsOf(rows));
  const steps: Step[] = [];
  for (let step = 0; step < STEPS; step++)
    steps.push(drawStep(draw, world, { rows, query, before: steps.at(-1)?.expected ?? expected }));
  return { schema: world.schema, start, end: rows, query, expected, rest, steps };
}

/** A query, mostly one with rows. */
function drawFruitful(draw: Draw, world: World, rows: Rows): { query: SelectNode; rest: SelectNode | null } {
  for (let tries = 1; ; tries++) {
    const select = drawQuery(draw, world);
    const answer = evaluate(select.ast, rowsOf(rows));
    if (answer.length === 0 && tries < TRIES) continue;
    const canFollow = showsOrder(select.ast);
    if (!canFollow || !draw.once(7))
      return { query: select.ast, rest: canFollow && answer.length > 0 ? after(select, answer[0]!) : null };
    const all = evaluate({ ...select.ast, limit: null, offset: 0 }, rowsOf(rows));
    return { query: all.length === 0 ? select.ast : after(select, draw.pick(all)), rest: null };
  }
}

const after = (select: AnySelect, row: ResultRow): SelectNode => select.after(row).ast;

/** Whether rows hold what they are ordered by and tells them apart, so that they can be cursors. */
const showsOrder = ({ from, projection, groupBy, orderBy }: SelectNode): boolean =>
  // Rows of subqueries may be equal to each other.
  from.query === undefined &&
  [...groupBy, ...orderBy.map(({ column }) => column)].every((term) =>
    projection === null ? term.type === "column" : projection.some(({ column }) => isDeepStrictEqual(column, term)),
  );

interface State {
  readonly rows: Rows;
  readonly query: SelectNode;
  readonly before: readonly ResultRow[];
}

/** A commit, which is done to the rows. */
function drawStep(draw: Draw, world: World, { rows, query, before }: State): Step {
  const shown = showOf(before);
  const read = tablesOf(query);
  for (let tries = 1; ; tries++) {
    const changes = drawChanges(draw, world, rows, read);
    applyChanges(rows, changes);
    const expected = evaluate(query, rowsOf(rows));
    const isAltered = showOf(expected) !== shown;
    if (isAltered || tries >= TRIES || draw.once(4))
      return { changes, expected, isAltered, overlaid: drawOverlaid(draw, world, { rows, query, before: expected }) };
    applyChanges(
      rows,
      changes.map(({ table, id, before: old, after: now }) => ({ table, id, before: now, after: old })),
    );
  }
}

function drawOverlaid(draw: Draw, world: World, { rows, query }: State): Overlaid {
  const overlaid = copyRows(rows);
  const writes = drawChanges(draw, world, rows, tablesOf(query));
  applyChanges(overlaid, writes);
  return { writes, expected: evaluate(query, rowsOf(overlaid)) };
}
