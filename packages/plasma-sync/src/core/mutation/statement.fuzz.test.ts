import fc from "fast-check";
import { expect, it } from "vitest";
import { isPlasmaError } from "../error.ts";
import type { Expr } from "../query/ast.ts";
import { createDb } from "../query/db.ts";
import { and, eq, gt, inArray, isNull, not, notInArray, or } from "../query/expressions.ts";
import { compileFilter } from "../query/predicate.ts";
import { id, int, text } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table } from "../schema/table.ts";
import type { Row } from "../schema/value.ts";
import { MemoryMutationStore } from "./memory-store.ts";
import { runStatement } from "./statement.ts";

const things = table(
  "things",
  { id: id(), code: text().unique().nullable(), a: int().nullable(), b: int().default(0) },
  { unique: (t) => [[t.a, t.b]] },
);
const schema = defineSchema({ things });

const rowID = fc.constantFrom("p", "q", "r", "s", "t");
const small = fc.integer({ min: 0, max: 2 });
const code = fc.option(fc.constantFrom("x", "y", "1"), { freq: 3 });
const condition: fc.Arbitrary<Expr> = fc.oneof(
  rowID.map((v) => eq(things.id, v)),
  fc.array(rowID, { maxLength: 4 }).map((v) => inArray(things.id, v)),
  fc.tuple(fc.array(rowID, { maxLength: 4 }), small).map(([v, b]) => and(gt(things.b, b), inArray(things.id, v))),
  fc.tuple(rowID, small).map(([v, a]) => or(eq(things.id, v), eq(things.a, a))),
  rowID.map((v) => not(eq(things.id, v))),
  fc.array(rowID, { maxLength: 4 }).map((v) => notInArray(things.id, v)),
  fc.constant(isNull(things.code)),
);
const patch = fc.record({ code, a: fc.option(small), b: small }, { requiredKeys: [] });
const insert = fc.array(fc.record({ id: rowID, code, a: fc.option(small), b: small }), { minLength: 1, maxLength: 3 });

type Statement =
  | {
      readonly type: "insert";
      readonly rows: readonly { id: string; code: string | null; a: number | null; b: number }[];
    }
  | {
      readonly type: "update";
      readonly set: { code?: string | null; a?: number | null; b?: number };
      readonly where: Expr;
    }
  | { readonly type: "delete"; readonly where: Expr };
const statement: fc.Arbitrary<Statement> = fc.oneof(
  insert.map((rows) => ({ type: "insert" as const, rows })),
  fc.record({ type: fc.constant("update" as const), set: patch, where: condition }),
  fc.record({ type: fc.constant("delete" as const), where: condition }),
);

/** The table after the statement, computed row by row with no plan; null where a constraint refuses it. */
function model(rows: readonly Row[], s: Statement): readonly Row[] | null {
  const next: readonly Row[] =
    s.type === "insert"
      ? [...rows, ...s.rows]
      : s.type === "update"
        ? rows.map((row) => (compileFilter(s.where, "things")(row) ? { ...row, ...s.set } : row))
        : rows.filter((row) => !compileFilter(s.where, "things")(row));
  const isUnique = (columns: readonly string[]) => {
    const keys = next
      .filter((row) => columns.every((c) => row[c] !== null))
      .map((row) => JSON.stringify(columns.map((c) => row[c])));
    return new Set(keys).size === keys.length;
  };
  return isUnique(["id"]) && isUnique(["code"]) && isUnique(["a", "b"]) ? next : null;
}

const byID = (rows: readonly Row[]) => rows.toSorted((x, y) => ((x["id"] as string) < (y["id"] as string) ? -1 : 1));

it("statements leave what their meaning row by row says, or refuse and leave everything", async () => {
  let refused = 0;
  let changed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { maxLength: 12 }), async (statements) => {
      const store = new MemoryMutationStore();
      const scope = { schema, store, newId: () => "never" };
      const db = createDb({
        schema,
        engine: { select: async (q) => store.select(q), write: async (node) => runStatement(scope, node) },
      });
      for (const s of statements) {
        const before = store.rows("things");
        const expected = model(before, s);
        const run =
          s.type === "insert"
            ? db.insert(things).values(s.rows)
            : s.type === "update"
              ? db.update(things).set(s.set).where(s.where)
              : db.delete(things).where(s.where);
        const error: unknown = await run.then(
          () => null,
          (e: unknown) => e,
        );
        if (expected === null) refused += 1;
        else changed += 1;
        expect(error === null ? null : isPlasmaError(error, "constraint/unique")).toBe(expected === null ? true : null);
        expect(byID(store.rows("things"))).toEqual(byID(expected ?? before));
      }
    }),
    { numRuns: 800 },
  );
  expect(Math.min(refused, changed)).toBeGreaterThan(200);
});
