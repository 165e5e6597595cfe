// What a pull may cost: the bytes of a page, the statements of a change that moves rows, and a first sync of a large database
// that changes all the while.

import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import * as limits from "../../core/limits.ts";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { hooked, memoryDatabase } from "./memory-database-node.fixture.ts";
import { ruleSchema } from "./rules.fixture.ts";
import { mutation, RawClient, schema, startServer, type TestServer } from "./sync-server.fixture.ts";

const ada = { user: "ada", clientID: "a1", replicaID: "ra" };
const run = (executor: SqlExecutor, text: string, ...params: (string | number)[]) => executor.run({ text, params });

describe("large rows", () => {
  const ROW_BYTES = 500_000;
  const COUNT = 20;
  /** A page ends with the row or change that passes the bound; the answer is JSON of about the same size. */
  const pageBytesMax = limits.pullPageBytesMax + 3 * ROW_BYTES;
  let executor: SqlExecutor;
  let client: RawClient;
  beforeEach(async () => {
    executor = memoryDatabase();
    await ensureSchema({ schema, executor });
    client = new RawClient(startServer(executor), ada);
  });
  const fill = async (text: string) => {
    for (let i = 0; i < COUNT; i++) await run(executor, text, `p${i}`, "x".repeat(ROW_BYTES));
  };
  const pageSizes = () => client.bytes.map((body) => body.length);

  test("a first sync is cut into pages of bounded bytes, and is whole", async () => {
    await fill("INSERT INTO posts (id, body) VALUES (?1, ?2)");
    await client.pull(5000);
    expect(client.rows.size).toBe(COUNT);
    expect(Math.max(...pageSizes())).toBeLessThan(pageBytesMax);
    expect(pageSizes().length).toBeGreaterThan(2);
  });

  test("a catch-up is cut by the bytes of its images, both of each change", async () => {
    await client.pull();
    await fill("INSERT INTO posts (id, body) VALUES (?1, ?2)");
    await fill("UPDATE posts SET body = ?2 || '!' WHERE id = ?1");
    client.bytes.length = 0;
    await client.pull(5000);
    expect([...client.rows.values()].every((row) => String(row["body"]).endsWith("!"))).toBe(true);
    expect(Math.max(...pageSizes())).toBeLessThan(pageBytesMax);
    // Inserts have one image, updates two.
    expect(pageSizes().length).toBeGreaterThanOrEqual(
      (3 * COUNT * ROW_BYTES) / (limits.pullPageBytesMax + 2 * ROW_BYTES),
    );
  });

  test("one row above the bound is a page of its own", async () => {
    await run(executor, "INSERT INTO posts (id, body) VALUES ('huge', ?1)", "x".repeat(limits.pullPageBytesMax + 1));
    await run(executor, "INSERT INTO posts (id, body) VALUES ('small', 'x')");
    await client.pull();
    expect([...client.rows.keys()]).toEqual(["posts/huge", "posts/small"]);
  });
});

describe("a membership in a large database", () => {
  test("moves its list's rows by two statements per table, none of which scans one", async () => {
    const statements: string[] = [];
    const executor = memoryDatabase();
    await ensureSchema({ schema: ruleSchema, executor });
    const watched = hooked(executor, (when, text) => void (when === "before" && statements.push(text)));
    const server = startServer(watched, { schema: ruleSchema });
    const client = new RawClient(server, ada);
    const lists = 200;
    await run(
      executor,
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
       INSERT INTO todos (id, "listId", title, hidden) SELECT 't' || i, 'l' || (i % ${lists}), 'x', 0 FROM n`,
    );
    await run(executor, `INSERT INTO lists (id, name, "orgId", "isPublic") VALUES ('l7', 'seven', NULL, 0)`);
    await client.pull();
    await run(executor, `INSERT INTO members (id, "listId", "userId", weight) VALUES ('m', 'l7', 'ada', 1)`);
    statements.length = 0;
    await client.pull();
    expect(client.rows.size).toBe(20_000 / lists + 2);
    // The log; two for lists, members and todos, comments and audits, which have candidates by a subquery of the rows that
    // moved; and whether the log was compacted meanwhile.
    expect(statements.length).toBeLessThanOrEqual(1 + 2 * 5 + 1);
    for (const text of statements.filter((statement) => statement.includes("WITH "))) {
      const count = new Set(text.match(/\?\d+/g)).size;
      const plan = await executor.all({ text: `EXPLAIN QUERY PLAN ${text}`, params: Array(count).fill("1") });
      const details = plan.map((row) => String(row["detail"]));
      // A walk along all ids is a scan by another name.
      const scan = /SCAN main\.(todos|lists|members)|SEARCH main\.(todos|lists|members) .*\(id>\?\)/;
      expect(details.filter((detail) => scan.test(detail))).toEqual([]);
    }
  });
});

test("a log that is compacted while a membership is looked into brings a re-sync, not half a state", async () => {
  const db = new DatabaseSync(":memory:");
  const executor = fromNodeSqlite(db);
  await ensureSchema({ schema: ruleSchema, executor });
  let isArmed = false;
  const watched = hooked(executor, (when, text) => {
    if (!isArmed || when !== "before" || !text.includes("row_version >")) return;
    if (!text.startsWith("WITH")) return;
    isArmed = false;
    db.exec(
      "DELETE FROM _plasma_changes WHERE op <> 'ack' AND row_version < (SELECT max(row_version) FROM _plasma_changes);" +
        "INSERT INTO _plasma_schema (key, value) SELECT 'compacted', max(row_version) FROM _plasma_changes",
    );
  });
  const client = new RawClient(startServer(watched, { schema: ruleSchema }), ada);
  db.exec(`INSERT INTO todos VALUES ('t', 'l', 'x', 0); INSERT INTO members VALUES ('m', 'l', 'ada', 1)`);
  await client.pull();
  expect([...client.rows.keys()]).toEqual(["members/m", "todos/t"]);
  db.exec("DELETE FROM members");
  isArmed = true;
  expect(await client.pull()).toEqual([{ op: "clear" }]);
  expect([isArmed, client.rows.size]).toEqual([false, 0]);
});

describe("a first sync of 100,000 rows", () => {
  test(
    "ends consistent although rows are written between its pages, each of which is bounded",
    { timeout: 120_000 },
    async () => {
      const executor = memoryDatabase();
      await ensureSchema({ schema, executor });
      const count = 100_000;
      await run(
        executor,
        `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
         INSERT INTO posts (id, body) SELECT 'p' || (i * 7919 % ${count}), 'row ' || i FROM n`,
      );
      const server: TestServer = startServer(executor);
      const client = new RawClient(server, ada);
      let pages = 0;
      for (let hasMore = true; hasMore; pages++) {
        const { json } = await client.pullPage(2000);
        hasMore = json.hasMore === true;
        expect(json.patch.length).toBeLessThanOrEqual(2001);
        client.bytes.length = 0;
        if (pages < 50) {
          await run(
            executor,
            `UPDATE posts SET body = body || '!' WHERE id IN ('p${pages * 11}', 'p${count - pages}')`,
          );
          await run(executor, `DELETE FROM posts WHERE id = 'p${pages * 1999}'`);
          await run(executor, `INSERT INTO posts (id, body) VALUES ('new${pages}', 'new')`);
          await client.push(mutation(pages + 1, "stamp", { id: `stamp${pages}` }));
        }
      }
      const rows = await executor.all({ text: "SELECT id, body FROM posts", params: [] });
      expect(client.rows.size).toBe(rows.length);
      expect(rows.every((row) => client.rows.get(`posts/${String(row["id"])}`)?.["body"] === row["body"])).toBe(true);
      expect(client.lastMutationIDs).toEqual({ a1: 50 });
    },
  );
});
