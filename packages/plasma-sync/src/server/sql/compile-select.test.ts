import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { and, eq, exists, inArray, ne, or } from "../../core/query/expressions.ts";
import { evaluate } from "../../core/query/evaluate.ts";
import { count } from "../../core/query/aggregates.ts";
import { colRef } from "../../core/query/column-node.ts";
import { metaOf } from "../../core/schema/table.ts";
import { select } from "../../core/query/select-builder.ts";
import type { Row } from "../../core/schema/value.ts";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { nothing, schema, todos, users, wide } from "../database/server-database.fixture.ts";
import { compileSelect } from "./compile-select.ts";
import { answerRows } from "./answer-rows.fixture.ts";
import { selectAnswersSuite, withAnswerRows } from "./select-answers.suite.ts";

type RowsOf = Parameters<typeof withAnswerRows>[1];
const put = (rowsOf?: RowsOf) => withAnswerRows(fromNodeSqlite(new DatabaseSync(":memory:")), rowsOf);

selectAnswersSuite("node:sqlite", put);

/** Each second row is only pending, the first is stored otherwise, and one that is stored is deleted. */
const isPending = (_: Row, i: number) => i % 2 === 0;
selectAnswersSuite(
  "node:sqlite, half of the rows pending",
  () =>
    put((rows) => [
      ...rows.filter((row, i) => !isPending(row, i)),
      ...rows.slice(0, 1).map((row) => ({ ...row, name: "stale", ...("int" in row ? nothing : {}) })),
      ...rows.slice(0, 1).map((row) => ({ ...row, id: "deleted", email: null, ownerId: "gone" })),
    ]),
  (_, rows) =>
    new Map<string, Row | null>([
      ["deleted", null],
      ...rows.filter(isPending).map((row): [string, Row] => [row["id"] as string, row]),
    ]),
);

/** Conditions that all rows meet, each with values of its own. */
const many = (n: number) => and(...Array.from({ length: n }, (_, i) => ne(todos.rank, 1000 + i)));

test("values beyond the bound of parameters are packed, wherever in the query they stand", async () => {
  const executor = await put();
  const sub = select({ id: todos.ownerId }).from(todos).where(many(60));
  const included = select()
    .from(todos)
    .where(and(eq(todos.ownerId, users.id), many(60)));
  const query = select()
    .from(users)
    .where(or(inArray(users.id, sub), exists(included)))
    .orderBy(users.name)
    .after({ id: "u", name: "a", email: null })
    .include({ included, one: included.limit(1) }).ast;
  const { text, params, decode } = compileSelect(query, { schema });
  expect(params).toHaveLength(1);
  expect(decode(await executor.all({ text, params }))).toEqual(evaluate(query, (table) => answerRows.get(table) ?? []));
});

test("a cursor over many terms is not deep", () => {
  const meta = metaOf(wide);
  const row = Object.fromEntries(meta.columns.map(({ def }) => [def.name, def.kind === "bigint" ? 1n : null]));
  const query = select()
    .from(wide)
    .orderBy(...meta.columns)
    .after({ ...row, id: "w" }).ast;
  const { text, params } = compileSelect(query, { schema });
  let depth = 0;
  let deepest = 0;
  for (const char of text) deepest = Math.max(deepest, (depth += char === "(" ? 1 : char === ")" ? -1 : 0));
  expect(deepest).toBeLessThan(40);
  expect(params).toHaveLength(1);
});

test("what an app calls its columns never reaches the text of a derived source", () => {
  const key = `" FROM users; --`;
  const totals = select({ [key]: count() })
    .from(todos)
    .groupBy(todos.ownerId);
  const { text } = compileSelect(
    select()
      .fromSubquery(totals, "t")
      .where(eq(colRef("t", key), 1)).ast,
    { schema },
  );
  expect(text).not.toContain("--");
});
