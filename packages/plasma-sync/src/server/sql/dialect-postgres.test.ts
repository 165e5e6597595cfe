import { expect, test } from "vitest";
import { between, desc, eq, gt, inArray, lt } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { nothing, schema, things, users } from "../database/server-database.fixture.ts";
import { compileSelect } from "./compile-select.ts";
import { answerRows } from "./answer-rows.fixture.ts";
import { postgresInsert, postgresTable } from "./postgres-tables.fixture.ts";
import { selectAnswersSuite } from "./select-answers.suite.ts";

const postgres = usePostgres();

async function filled() {
  const executor = fromPostgres(await postgres.open());
  const tables = [...schema.tablesByName.values()].filter((meta) => !meta.changeLogSuppressed);
  await executor.batch([
    ...tables.map(postgresTable),
    ...tables.flatMap((meta) => (answerRows.get(meta.name) ?? []).map((row) => postgresInsert(meta, row))),
  ]);
  return executor;
}

selectAnswersSuite("postgres", filled);

test("conditions and orders of an indexed column use its index", async () => {
  const executor = await filled();
  const columns = ["int", "real", "big", "bytes", "text"] as const;
  for (const column of columns) await executor.run({ text: `CREATE INDEX ON things ("${column}")`, params: [] });
  const fill = `INSERT INTO things (id, int, real, big, bytes, text)
    SELECT 'n' || i, i, i, i, decode(to_hex(i + 4096), 'hex'), 'text' || i FROM generate_series(0, 20000) AS i`;
  await executor.run({ text: fill, params: [] });
  await executor.run({ text: "ANALYZE things", params: [] });
  const all = select().from(things);
  const queries = {
    "=": all.where(eq(things.id, "a")),
    inArray: all.where(inArray(things.id, ["a", "b"])),
    "inArray of text": all.where(inArray(things.text, ["text5", "text6"])),
    ">": all.where(gt(things.id, "a")).limit(10),
    order: all.limit(10),
    after: all
      .orderBy(desc(things.id))
      .after({ ...nothing, id: "c" })
      .limit(10),
    int: all.where(eq(things.int, 1)),
    real: all.where(between(things.real, 1, 2.5)),
    big: all.where(eq(things.big, 1n)),
    bytes: all.where(lt(things.bytes, new Uint8Array([1]))),
    text: all.where(eq(things.text, "text1")),
    include: select()
      .from(users)
      .include({ things: all.where(eq(things.text, users.name)) }),
  };
  for (const [what, { ast }] of Object.entries(queries)) {
    const { text, params } = compileSelect(ast, { schema, dialect: "postgres" });
    const plan = await executor.all({ text: `EXPLAIN (COSTS OFF) ${text}`, params });
    expect([what, plan.map((line) => line["QUERY PLAN"]).join("\n")]).toEqual([
      what,
      expect.stringMatching(/(?:Scan.* using|Bitmap Index Scan on) things_/),
    ]);
  }
});
