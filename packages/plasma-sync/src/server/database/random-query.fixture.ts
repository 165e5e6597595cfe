// Owns: random rows, pending rows and queries over `users` and `things`, for holding SQL and `evaluate` equal.

import fc from "fast-check";
import type { ColumnNode, Expr, Operand, OrderNode, SelectNode, SourceNode } from "../../core/query/ast.ts";
import { metaOf, type TableMeta } from "../../core/schema/table.ts";
import { compareFamily, type ColumnKind, type Row, type Value } from "../../core/schema/value.ts";
import { things, users } from "./server-database.fixture.ts";

export interface QueryCase {
  readonly query: SelectNode;
  readonly stored: ReadonlyMap<string, readonly Row[]>;
  readonly pending: ReadonlyMap<string, ReadonlyMap<string, Row | null>>;
}

const ids = ["a", "b", "c", "d", "\u{1f600}", "\uffff"];
const idArbitrary = fc.constantFrom(...ids);

/** Few values each, so that they meet; edges among them. */
function valueOf(kind: ColumnKind): fc.Arbitrary<Value> {
  switch (kind) {
    case "id":
    case "ref":
      return idArbitrary;
    case "text":
      return fc.oneof(
        idArbitrary,
        fc.constantFrom("", "A", "ab", "a%", "x_y\\"),
        fc.string({ unit: "binary", maxLength: 3 }).filter((text) => text.isWellFormed() && !text.includes("\0")),
      );
    case "int":
    case "timestamp":
      return fc.constantFrom(-1, 0, 1, 2, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
    case "real":
      return fc.oneof(
        fc.constantFrom(-1, 0, 0.5, 1, 2, 2 ** 53, 2 ** 63),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
      );
    case "bigint":
      return fc.constantFrom(-1n, 0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n));
    case "boolean":
      return fc.boolean();
    case "blob":
      return fc.uint8Array({ maxLength: 2, max: 2 });
    default:
      // -0 is never stored, and JSON has none.
      return fc
        .jsonValue({ maxDepth: 2 })
        .map((value) => JSON.stringify(value))
        .filter((json) => !json.includes("\\u0000"))
        .map((json) => JSON.parse(json) as Value);
  }
}

function rowArbitrary(meta: TableMeta): fc.Arbitrary<Row> {
  const fields = meta.columns.map(
    ({ def }) => [def.name, def.notNull ? valueOf(def.kind) : fc.option(valueOf(def.kind), { freq: 3 })] as const,
  );
  return fc.record(Object.fromEntries(fields));
}

/** Users may not share an email: it is unique. */
const tables = [
  { meta: metaOf(users), rows: rowArbitrary(metaOf(users)).map((row) => ({ ...row, email: null })) },
  { meta: metaOf(things), rows: rowArbitrary(metaOf(things)) },
];
const storedArbitrary = fc.tuple(
  ...tables.map(({ rows }) => fc.uniqueArray(rows, { maxLength: 6, selector: (row) => row["id"] })),
);
const pendingArbitrary = fc.tuple(
  ...tables.map(({ rows }) =>
    fc.uniqueArray(fc.tuple(idArbitrary, fc.option(rows, { freq: 2 })), { maxLength: 3, selector: ([id]) => id }),
  ),
);

const sourcesArbitrary: fc.Arbitrary<readonly SourceNode[]> = fc
  .array(fc.constantFrom("users", "things"), { minLength: 1, maxLength: 3 })
  .map((names) => names.map((table, i) => ({ table, name: i === 0 ? table : `s${i}` })));

function columnsOf(sources: readonly SourceNode[]): ColumnNode[] {
  return sources.flatMap(({ name, table }) => {
    const { meta } = tables.find((candidate) => candidate.meta.name === table) as (typeof tables)[number];
    return meta.columns.map(({ def }): ColumnNode => ({
      type: "column",
      source: name,
      column: def.name,
      kind: def.kind,
    }));
  });
}

const isComparable = (column: ColumnNode): boolean => compareFamily(column.kind) !== null;

function exprArbitrary(columns: readonly ColumnNode[]): fc.Arbitrary<Expr> {
  const comparable = fc.constantFrom(...columns.filter(isComparable));
  const leaf = fc.oneof(
    { weight: 4, arbitrary: comparable.chain((left) => compareArbitrary(left, columns)) },
    { weight: 2, arbitrary: comparable.chain((operand) => inArbitrary(operand)) },
    fc.record({
      type: fc.constant("isNull"),
      operand: fc.constantFrom(...columns),
      negated: fc.boolean(),
    }) as fc.Arbitrary<Expr>,
    likeArbitrary(columns),
    comparable.chain((operand) => betweenArbitrary(operand, columns)),
  );
  return fc.letrec<{ expr: Expr }>((tie) => ({
    expr: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      fc.record({
        type: fc.constantFrom("and", "or"),
        args: fc.array(tie("expr"), { maxLength: 3 }),
      }) as fc.Arbitrary<Expr>,
      tie("expr").map((arg): Expr => ({ type: "not", arg })),
    ),
  })).expr;
}

/** A column of the same family, or a value of this one's kind, or null. */
function operandArbitrary({ kind }: ColumnNode, columns: readonly ColumnNode[]): fc.Arbitrary<Operand> {
  const alike = columns.filter((column) => compareFamily(column.kind) === compareFamily(kind));
  const value = fc.option(valueOf(kind), { freq: 6 }).map((given): Operand => ({ type: "value", kind, value: given }));
  return fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constantFrom<Operand>(...alike) });
}

const compareArbitrary = (left: ColumnNode, columns: readonly ColumnNode[]): fc.Arbitrary<Expr> =>
  fc.record({
    type: fc.constant("compare" as const),
    op: fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte"),
    left: fc.constant(left),
    right: operandArbitrary(left, columns),
  });

const inArbitrary = (operand: ColumnNode): fc.Arbitrary<Expr> =>
  fc.record({
    type: fc.constant("in" as const),
    operand: fc.constant(operand),
    values: fc.array(
      fc
        .option(valueOf(operand.kind), { freq: 6 })
        .map((value) => ({ type: "value" as const, kind: operand.kind, value })),
      { maxLength: 4 },
    ),
    negated: fc.boolean(),
  });

const likeArbitrary = (columns: readonly ColumnNode[]): fc.Arbitrary<Expr> =>
  fc.record({
    type: fc.constant("like" as const),
    operand: fc.constantFrom(...columns.filter(({ kind }) => compareFamily(kind) === "text")),
    pattern: fc
      .array(fc.constantFrom("%", "_", "\\\\", "\\%", "\\_", "\\a", "a", "A", "b", "\u{1f600}"), { maxLength: 4 })
      .map((parts) => parts.join("")),
  });

const betweenArbitrary = (operand: ColumnNode, columns: readonly ColumnNode[]): fc.Arbitrary<Expr> =>
  fc.record({
    type: fc.constant("between" as const),
    operand: fc.constant(operand),
    low: operandArbitrary(operand, columns),
    high: operandArbitrary(operand, columns),
  });

/** Some columns, then the ids of all sources: a total order, as the builder makes it. */
function orderArbitrary(sources: readonly SourceNode[]): fc.Arbitrary<readonly OrderNode[]> {
  const direction = fc.constantFrom("asc" as const, "desc" as const);
  const some = fc.array(fc.record({ column: fc.constantFrom(...columnsOf(sources).filter(isComparable)), direction }), {
    maxLength: 2,
  });
  const rest = sources.map(({ name }): OrderNode => ({
    column: { type: "column", source: name, column: "id", kind: "id" },
    direction: "asc",
  }));
  return some.map((orders) => [...orders, ...rest]);
}

function queryArbitrary(sources: readonly SourceNode[]): fc.Arbitrary<SelectNode> {
  const [from, ...joined] = sources as [SourceNode, ...SourceNode[]];
  const columns = columnsOf(sources);
  const joins = joined.map((source, i) =>
    fc.record({
      kind: fc.constantFrom("inner" as const, "left" as const),
      source: fc.constant(source),
      on: exprArbitrary(columnsOf(sources.slice(0, i + 2))),
    }),
  );
  return fc.record({
    type: fc.constant("select" as const),
    from: fc.constant(from),
    joins: fc.tuple(...joins),
    where: fc.option(exprArbitrary(columns), { freq: 4 }),
    groupBy: fc.constant([]),
    having: fc.constant(null),
    distinct: fc.constant(false),
    after: fc.constant(null),
    includes: fc.constant([]),
    one: fc.constant(false),
    orderBy: orderArbitrary(sources),
    limit: fc.option(fc.nat(8), { freq: 1 }),
    offset: fc.constantFrom(0, 0, 1, 3),
    projection: fc.option(
      fc
        .array(fc.constantFrom(...columns), { minLength: 1, maxLength: 4 })
        .map((list) => list.map((column, i) => ({ key: `k${i}`, column }))),
      { freq: 2 },
    ),
  });
}

export const caseArbitrary: fc.Arbitrary<QueryCase> = fc
  .record({ query: sourcesArbitrary.chain(queryArbitrary), stored: storedArbitrary, pending: pendingArbitrary })
  .map(({ query, stored, pending }) => ({
    query,
    stored: new Map(stored.map((rows, i) => [tables[i]?.meta.name ?? "", rows])),
    pending: new Map(
      pending.map((entries, i) => [
        tables[i]?.meta.name ?? "",
        new Map(entries.map(([id, row]) => [id, row === null ? null : { ...row, id }])),
      ]),
    ),
  }));
