// Owns: what every engine owes of rows: values come back as they went in, and queries mean what `evaluate` says.

import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { alias } from "../../core/query/alias.ts";
import type { Expr, SelectNode } from "../../core/query/ast.ts";
import { evaluate } from "../../core/query/evaluate.ts";
import {
  and,
  asc,
  between,
  desc,
  eq,
  gt,
  inArray,
  like,
  lt,
  not,
  notInArray,
  or,
} from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import type { Row } from "../../core/schema/value.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { parseImage } from "../migration/log-image.ts";
import { metaOf } from "../../core/schema/table.ts";
import { compileSelect } from "../sql/compile-select.ts";
import { deleteStatements, putStatements } from "../sql/row-statements.ts";
import { caseArbitrary, type QueryCase } from "./random-query.fixture.ts";
import { schemaObjectsOf } from "./database-dump.fixture.ts";
import { logOf, runOn, schema, sql, thing, things, users, wide } from "./server-database.fixture.ts";
import type { SqlExecutor } from "./sql-executor.ts";

const deep = { a: [1, 2.5, null, { b: 'ä\u{1f600}"\\\n', c: [] }], d: {}, e: true, f: -0.1, g: 1e21 };
const edges: Row[] = [
  thing({ id: "null" }),
  thing({ id: "zero", text: "", int: 0, real: 0, at: 0, big: 0n, flag: false, bytes: new Uint8Array([]), data: 0 }),
  thing({
    id: "max",
    int: Number.MAX_SAFE_INTEGER,
    real: Number.MAX_VALUE,
    big: 2n ** 63n - 1n,
    flag: true,
    data: deep,
  }),
  thing({ id: "min", int: Number.MIN_SAFE_INTEGER, real: Number.MIN_VALUE, big: -(2n ** 63n), data: [] }),
  thing({ id: "2^53", real: 2 ** 60, big: 2n ** 53n + 1n, data: "text" }),
  thing({ id: "-2^53", real: -(2 ** 70), big: -(2n ** 53n) - 1n, data: false }),
  thing({ id: "third", real: 1 / 3, big: 2n ** 53n - 1n, data: { "": null } }),
  thing({ id: "sum", real: 0.1 + 0.2, bytes: Uint8Array.from({ length: 256 }, (_, i) => i) }),
  thing({ id: "'\"; DROP TABLE things; --", text: "'\"?1 $1 :x \\ %", data: "'" }),
  thing({ id: "\u{1f600}", text: "\u{1f600}\u{10ffff}\u0001\u001f\u007f\u2028\uffff\uffffd" }),
  thing({ id: "long", text: "ä".repeat(50_000), bytes: new Uint8Array(100_000).fill(200) }),
];

export function storedValuesSuite(
  name: string,
  open: () => Promise<SqlExecutor>,
  { runs }: { readonly runs: number },
): void {
  describe(`stored values: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    beforeEach(async () => {
      executor = await open();
      await ensureSchema({ schema, executor });
    });
    const put = async (rows: readonly Row[], meta = metaOf(things)) =>
      void (await executor.batch(putStatements(executor.dialect, meta, rows)));
    const idsWhere = async (condition: Expr) =>
      (await runOn(executor, select().from(things).where(condition).ast)).map((row) => row["id"]);

    test.each(["one by one", "together"])(
      "every kind comes back as it went in, from table and log, written %s",
      async (how) => {
        if (how === "together") await put(edges);
        else for (const row of edges) await put([row]);
        const byID = (rows: readonly Row[]) => new Map(rows.map((row) => [row["id"], row]));
        const stored = (await runOn(executor, select().from(things).ast)) as Row[];
        expect(byID(stored)).toEqual(byID(edges));
        const logged = (await logOf(executor)).map((entry) => parseImage(metaOf(things), String(entry["value"])));
        expect(logged).toEqual(edges);
      },
    );

    test("every kind comes back from a shadow", async () => {
      // Postgres has transactions, whose reads need none.
      if (executor.dialect === "postgres") return;
      const query = select().from(things).ast;
      const { text, params, decode } = compileSelect(query, {
        schema,
        shadows: new Map([["things", new Map(edges.map((row) => [String(row["id"]), row]))]]),
      });
      const rows = decode(await executor.all({ text, params }));
      expect(new Map(rows.map((row) => [row["id"], row]))).toEqual(new Map(edges.map((row) => [row["id"], row])));
    });

    test("a table of more columns than a json_object takes is logged whole, and joined with itself comes back whole", async () => {
      const meta = metaOf(wide);
      const row = Object.fromEntries(
        meta.columns.map(({ def }, i) => [
          def.name,
          def.kind === "id" ? "w" : i % 3 === 0 ? null : def.kind === "bigint" ? 2n ** 60n + BigInt(i) : i,
        ]),
      ) as Row;
      await put([row], meta);
      await executor.run(sql(`UPDATE wide SET c1 = 7, c59 = NULL`));
      const [inserted, updated] = await logOf(executor);
      expect(parseImage(meta, String(inserted?.["value"]))).toEqual(row);
      expect(parseImage(meta, String(updated?.["before"]))).toEqual(row);
      expect(parseImage(meta, String(updated?.["value"]))).toEqual({ ...row, c1: 7n, c59: null });
      const other = alias(wide, "other");
      const joined = await runOn(executor, select().from(wide).leftJoin(other, eq(other.id, wide.id)).ast);
      expect(joined).toEqual([{ wide: { ...row, c1: 7n, c59: null }, other: { ...row, c1: 7n, c59: null } }]);
      const unmatched = await runOn(
        executor,
        select()
          .from(wide)
          .leftJoin(other, and(eq(other.id, wide.id), eq(other.id, "no"))).ast,
      );
      expect(unmatched).toEqual([{ wide: { ...row, c1: 7n, c59: null }, other: null }]);
    });

    test("lists of any length and conditions of any width are taken", async () => {
      const rows = Array.from({ length: 300 }, (_, i) =>
        thing({ id: String(i).padStart(4, "0"), int: i, big: BigInt(i), real: i / 3 }),
      );
      await put(rows);
      const wanted = rows.slice(0, 250);
      const ids = wanted.map((row) => row["id"]);
      expect(await idsWhere(inArray(things.id, ids as string[]))).toEqual(ids);
      expect(
        await idsWhere(
          inArray(
            things.big,
            wanted.map((row) => row["big"] as bigint),
          ),
        ),
      ).toEqual(ids);
      expect(
        await idsWhere(
          inArray(
            things.real,
            wanted.map((row) => row["real"] as number),
          ),
        ),
      ).toEqual(ids);
      expect(
        await idsWhere(
          notInArray(
            things.int,
            wanted.map((row) => row["int"] as number),
          ),
        ),
      ).toHaveLength(50);
      expect(await idsWhere(or(...wanted.map((row) => eq(things.int, row["int"] as number))))).toEqual(ids);
      expect(await idsWhere(or(...wanted.map((row) => eq(things.big, row["big"] as bigint))))).toEqual(ids);
      expect(
        await idsWhere(and(...wanted.slice(1).map((row) => gt(things.real, -(row["real"] as number))))),
      ).toHaveLength(300);
      const long = Array.from({ length: 12 }, (_, i) => String(i) + "x".repeat(100_000));
      expect(await idsWhere(inArray(things.id, [...long, "0007"]))).toEqual(["0007"]);
      expect(await idsWhere(and(notInArray(things.id, long), lt(things.int, 3)))).toEqual(["0000", "0001", "0002"]);
    });

    test("text orders by code point, null comes first ascending and last descending", async () => {
      const texts = ["\u{1f600}", "\uffff", "a", "B", "b", "A", "", "ä", "a\u0301", null];
      await put(texts.map((value, i) => thing({ id: String(i), text: value })));
      const up = await runOn(executor, select({ text: things.text }).from(things).orderBy(asc(things.text)).ast);
      expect(up.map(({ text }) => text)).toEqual([null, "", "A", "B", "a", "a\u0301", "b", "ä", "\uffff", "\u{1f600}"]);
      const down = await runOn(executor, select({ text: things.text }).from(things).orderBy(desc(things.text)).ast);
      expect(down.map(({ text }) => text)).toEqual(up.map(({ text }) => text).reverse());
    });

    test("bigints order and compare over all 64 bits", async () => {
      const bigs = [2n ** 63n - 1n, 2n ** 53n + 1n, 2n ** 53n, 0n, -(2n ** 53n) - 1n, -(2n ** 63n)];
      await put(bigs.map((big, i) => thing({ id: String(i), big })));
      const rows = await runOn(executor, select({ big: things.big }).from(things).orderBy(desc(things.big)).ast);
      expect(rows.map(({ big }) => big)).toEqual(bigs);
      expect(await idsWhere(eq(things.big, 2n ** 53n + 1n))).toEqual(["1"]);
      expect(await idsWhere(gt(things.big, 2n ** 53n))).toEqual(["0", "1"]);
      expect(await idsWhere(between(things.big, -(2n ** 63n), -(2n ** 53n)))).toEqual(["4", "5"]);
      expect(await idsWhere(lt(things.big, 2n ** 63n - 1n))).toHaveLength(5);
    });

    test("like matches as evaluate does", async () => {
      const texts = ["abc", "ABC", "a%c", "a_c", "a\\c", "Äbc", "äbc", "a\u{1f600}c", "", "abc\\", "%", "k", "\u212a"];
      const rows = texts.map((value, i) => thing({ id: String(i).padStart(2, "0"), text: value }));
      await put(rows);
      const patterns = [
        "abc",
        "a%",
        "%c",
        "a_c",
        "a\\%c",
        "a\\_c",
        "a\\\\c",
        "äbc",
        "%",
        "_",
        "",
        "abc\\",
        "%\\",
        "\\",
        "%b%",
        "\\a\\b\\c",
        "k",
        "\u0001%\\",
        `%${"x".repeat(47)}\\`,
      ];
      for (const pattern of patterns) {
        for (const condition of [like(things.text, pattern), not(like(things.text, pattern))]) {
          const query = select().from(things).where(condition).ast;
          expect([pattern, await idsWhere(condition)]).toEqual([
            pattern,
            evaluate(query, () => rows).map((row) => row["id"]),
          ]);
        }
      }
    });

    test("a local-only table does not exist and reads as empty", async () => {
      const query: SelectNode = { ...select().from(users).ast, from: { name: "drafts", table: "drafts" }, orderBy: [] };
      expect(await runOn(executor, query)).toEqual([]);
      expect((await schemaObjectsOf(executor)).filter(({ name }) => name.includes("drafts"))).toEqual([]);
    });

    test(
      "random queries answer as evaluate does, with pending rows over stored ones",
      { timeout: 60_000 },
      async () => {
        await fc.assert(
          fc.asyncProperty(caseArbitrary, (queryCase) => agrees(executor, queryCase)),
          { numRuns: runs },
        );
      },
    );
  });
}

/**
 * Stores the rows, shadows them with the pending ones, and compares the answer with that of `evaluate` on the outcome. On
 * Postgres, which shadows none, only once the pending ones are stored.
 */
async function agrees(executor: SqlExecutor, { query, stored, pending }: QueryCase): Promise<void> {
  const clear = ["users", "things"].map((table) => sql(`DELETE FROM ${table}`));
  const puts = [...stored].flatMap(([table, rows]) =>
    putStatements(executor.dialect, schema.tablesByName.get(table) as never, rows),
  );
  await executor.batch([...clear, ...puts]);
  const expected = evaluate(query, (table) => rowsOver(stored.get(table) ?? [], pending.get(table)));
  if (executor.dialect === "sqlite") {
    const compiled = compileSelect(query, { schema, shadows: pending });
    const { text, params } = compiled;
    expect(compiled.decode(await executor.all({ text, params }))).toEqual(expected);
  }
  const done = [...pending].flatMap(([table, rows]) => {
    const ids = [...rows].filter(([, row]) => row === null).map(([id]) => id);
    const news = [...rows.values()].filter((row) => row !== null);
    return [
      ...(ids.length > 0 ? deleteStatements(executor.dialect, table, ids) : []),
      ...putStatements(executor.dialect, schema.tablesByName.get(table) as never, news),
    ];
  });
  await executor.batch(done);
  expect(await runOn(executor, query)).toEqual(expected);
}

function rowsOver(stored: readonly Row[], pending: ReadonlyMap<string, Row | null> | undefined): Row[] {
  const rows = new Map(stored.map((row) => [String(row["id"]), row]));
  for (const [id, row] of pending ?? []) {
    if (row === null) rows.delete(id);
    else rows.set(id, row);
  }
  return [...rows.values()];
}
