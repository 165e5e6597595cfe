import { expect, test } from "vitest";
import { id, int, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { schemaObjectsOf } from "../database/database-dump.fixture.ts";
import { logOf, schema, sql } from "../database/server-database.fixture.ts";
import { ensureSchema } from "./ensure-schema.ts";
import { ensureSchemaSuite } from "./ensure-schema.suite.ts";

const postgres = usePostgres();
const open = async () => fromPostgres(await postgres.open());

ensureSchemaSuite("postgres", open);

test("TRUNCATE is logged as a delete of every row", async () => {
  const executor = await open();
  await ensureSchema({ schema, executor });
  await executor.run(sql("INSERT INTO users (id, name) VALUES ('a', 'Ada'), ('b', 'Bea')"));
  await executor.run(sql("TRUNCATE users"));
  const log = await logOf(executor);
  expect(log.map((row) => [row["op"], row["row_id"], row["before"]]).slice(2)).toEqual([
    ["del", "a", '{"id":"a","name":"Ada","email":null}'],
    ["del", "b", '{"id":"b","name":"Bea","email":null}'],
  ]);
});

test("names that Postgres would cut are told apart, in indexes and triggers; a table's and a column's own are refused", async () => {
  const long = "c".repeat(60);
  const name = "t".repeat(60);
  const wide = table(
    name,
    { id: id(), [`${long}a`]: int(), [`${long}b`]: int() },
    { indexes: (t) => [[t[`${long}a`] as never], [t[`${long}b`] as never]] },
  );
  const executor = await open();
  await ensureSchema({ schema: defineSchema({ [name]: wide }), executor });
  const objects = await schemaObjectsOf(executor);
  const own = objects.filter(({ name }) => /^_plasma_(index|log)\.t/.test(name));
  expect(own.map(({ type }) => type).sort()).toEqual([
    ...Array<string>(5).fill("function"),
    "index",
    "index",
    ...Array<string>(4).fill("trigger"),
  ]);
  const longer = table("u".repeat(64), { id: id(), [`${long}long`]: text() });
  await expect(ensureSchema({ schema: defineSchema({ ["u".repeat(64)]: longer }), executor })).rejects.toMatchObject({
    code: "migration/refused",
  });
});

test("raw SQL is logged whatever its search path is", async () => {
  const executor = await open();
  await ensureSchema({ schema, executor });
  const [row] = await executor.all(sql("SELECT current_schema() AS name"));
  const insert = `INSERT INTO ${String(row?.["name"])}.users (id, name) VALUES ('a', 'Ada')`;
  await executor.batch([sql("SET LOCAL search_path TO pg_temp"), sql(insert)]);
  expect(await logOf(executor)).toHaveLength(1);
});

test("a role that may write a table needs to insert into the log and to take its lock, and no more", async () => {
  const executor = await open();
  await ensureSchema({ schema, executor });
  const [row] = await executor.all(sql("SELECT current_schema() AS name"));
  const asWriter = (text: string) => executor.batch([sql("SET LOCAL ROLE writer"), sql(text)]);
  const insert = "INSERT INTO users (id, name) VALUES ('a', 'Ada')";
  await executor.batch([
    sql("CREATE ROLE writer"),
    sql(`GRANT USAGE ON SCHEMA ${String(row?.["name"])} TO writer`),
    sql("GRANT INSERT ON users TO writer"),
  ]);
  await expect(asWriter(insert)).rejects.toMatchObject({ code: "42501" });
  await executor.batch([
    sql("GRANT UPDATE ON _plasma_log_order TO writer"),
    sql("GRANT INSERT ON _plasma_changes TO writer"),
  ]);
  await asWriter(insert);
  await expect(asWriter("SELECT * FROM _plasma_changes")).rejects.toMatchObject({ code: "42501" });
  expect(await logOf(executor)).toHaveLength(1);
});
