import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sum } from "../../core/query/aggregates.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { classifiedError } from "./classified-error.ts";
import { fromPostgres } from "./from-postgres.ts";
import { usePostgres } from "./postgres-server.fixture.ts";
import { depsOf, schema, sql, things, users } from "./server-database.fixture.ts";
import { sqlExecutorSuite } from "./sql-executor.suite.ts";
import type { SqlConnection, SqlExecutor } from "./sql-executor.ts";
import { addUser, fail, push, serverTransactionSuite, type Mutator } from "./server-transaction.suite.ts";
import { storedValuesSuite } from "./stored-values.suite.ts";
import { writeStatementsSuite } from "./write-statements.suite.ts";

const postgres = usePostgres();

const openEmpty = async () => fromPostgres(await postgres.open());

sqlExecutorSuite("postgres", openEmpty);
storedValuesSuite("postgres", openEmpty, { runs: 20 });
serverTransactionSuite("postgres", openEmpty);
writeStatementsSuite("postgres", openEmpty);

interface Opened {
  readonly executor: SqlExecutor;
  /** Of another handle, with connections of its own. */
  readonly other: SqlExecutor;
}

async function open(): Promise<Opened> {
  const handle = await postgres.open();
  const executor = fromPostgres(handle);
  await executor.run(sql("CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER NOT NULL)"));
  return { executor, other: fromPostgres(postgres.again(handle)) };
}

const insert = (id: string, n: number | null = 1) => sql("INSERT INTO t VALUES ($1, $2)", id, n);
const idsOf = async (connection: SqlConnection) =>
  (await connection.all(sql("SELECT id FROM t ORDER BY id"))).map((row) => row["id"]);
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

test("every type comes back in the form that the SQL layer is promised", async () => {
  const { executor } = await open();
  const [row] = await executor.all(
    sql(`SELECT true AS yes, false AS no, 2::int2 AS i2, -4::int4 AS i4, 9223372036854775807::int8 AS i8,
      0.1::float8 AS f8, 0.5::float4 AS f4, 12345678901234567890.10::numeric AS num, '\\x00ff'::bytea AS bytes,
      ''::bytea AS none, '{"a": [1, "ä"]}'::jsonb AS j, 'null'::jsonb AS jnull, null::jsonb AS jnone, '[1 ]'::json AS js,
      count(*) AS counted, '\ufeffé\u{1f600}' AS t, ARRAY['a'] AS list`),
  );
  expect(row).toEqual({
    yes: true,
    no: false,
    i2: 2,
    i4: -4,
    i8: "9223372036854775807",
    f8: 0.1,
    f4: 0.5,
    num: "12345678901234567890.10",
    bytes: new Uint8Array([0, 255]),
    none: new Uint8Array([]),
    j: '{"a": [1, "ä"]}',
    jnull: "null",
    jnone: null,
    js: "[1 ]",
    counted: "1",
    t: "\ufeffé\u{1f600}",
    list: "{a}",
  });
});

test("parameters take their type from the context, and JSON is not encoded once more", async () => {
  const { executor } = await open();
  const [row] = await executor.all(
    sql(
      "SELECT $1::jsonb AS j, $2::int8 AS i, $3::boolean AS b, $4::float8 AS z, $5::bytea AS x, $6::int AS n",
      '{"a":"\\""}',
      "-9223372036854775808",
      1,
      -0,
      new Uint8Array([1]),
      null,
    ),
  );
  expect(row).toEqual({
    j: '{"a": "\\""}',
    i: "-9223372036854775808",
    b: true,
    z: -0,
    x: new Uint8Array([1]),
    n: null,
  });
});

test("the parsers that the app has given its handle change nothing", async () => {
  const bigint = { to: 20, from: [20, 25, 23], parse: () => "parsed", serialize: () => "serialized" };
  const executor = fromPostgres(await postgres.open({ types: { bigint } } as never));
  expect(await executor.all(sql("SELECT 1::int8 AS a, 2 AS b, $1 AS c", "text"))).toEqual([
    { a: "1", b: 2, c: "text" },
  ]);
});

test("a batch of reads sees one state while others write", async () => {
  const { executor, other } = await open();
  const count = sql("SELECT CAST(count(*) AS INTEGER) AS n FROM t, (SELECT pg_sleep(0.02)) AS pause");
  await other.run(insert("first"));
  const reads = new AbortController();
  const writer = (async () => {
    for (let i = 0; !reads.signal.aborted; i++) await other.run(insert(String(i)));
  })();
  const counts = (await executor.batch(Array.from({ length: 6 }, () => count))).map(([row]) => row?.["n"]);
  reads.abort();
  await writer;
  expect(new Set(counts).size).toBe(1);
});

test("a batch reports the statement that failed, not those after it", async () => {
  const { executor } = await open();
  const error = await errorOf(executor.batch([insert("a"), insert("a"), insert("b"), insert("c")]));
  expect(error).toMatchObject({ code: "23505" });
  expect(await idsOf(executor)).toEqual([]);
});

test("a transaction commits what it wrote, and a throw leaves nothing and is rethrown", async () => {
  const { executor, other } = await open();
  const value = await executor.transaction(async (connection) => {
    await connection.run(insert("kept"));
    expect(await idsOf(other)).toEqual([]);
    return (await idsOf(connection)).length;
  });
  expect(value).toBe(1);
  const failure = new Error("the mutator's");
  const failed = executor.transaction(async (connection) => {
    await connection.run(insert("lost"));
    throw failure;
  });
  expect(await errorOf(failed)).toBe(failure);
  expect(await idsOf(executor)).toEqual(["kept"]);
});

test("a transaction commits after a failure that was undone to a savepoint", async () => {
  const { executor } = await open();
  const value = await executor.transaction(async (connection) => {
    await connection.run(insert("before"));
    await connection.run(sql("SAVEPOINT s"));
    expect(executor.classify(await errorOf(connection.run(insert("null", null))))).toBe("not-null");
    await connection.run(sql("ROLLBACK TO s"));
    await connection.run(insert("after"));
    return "done";
  });
  expect(value).toBe("done");
  expect(await idsOf(executor)).toEqual(["after", "before"]);
});

test("a transaction whose failure was caught and not undone leaves nothing and throws it", async () => {
  const { executor } = await open();
  const failed = executor.transaction(async (connection) => {
    await connection.run(insert("a"));
    await errorOf(connection.run(insert("a")));
    return "done";
  });
  expect(executor.classify(await errorOf(failed))).toBe("unique");
  expect(await idsOf(executor)).toEqual([]);
});

test("of two transactions that each read what the other writes, one fails as a conflict", async () => {
  const { executor } = await open();
  const bothHaveRead = Promise.withResolvers<void>();
  let readers = 0;
  const run = (id: string) =>
    errorOf(
      executor.transaction(async (connection) => {
        await idsOf(connection);
        readers += 1;
        if (readers === 2) bothHaveRead.resolve();
        await bothHaveRead.promise;
        await connection.run(insert(id));
      }),
    );
  const errors = await Promise.all([run("a"), run("b")]);
  const failures = errors.filter((error) => error !== null);
  expect(failures.map((error) => executor.classify(error))).toEqual(["conflict"]);
  expect(await idsOf(executor)).toHaveLength(1);
});

test("a connection that is kept beyond its transaction is refused", async () => {
  const { executor } = await open();
  const kept = await executor.transaction(async (connection) => connection);
  await expect(kept.all(sql("SELECT 1"))).rejects.toMatchObject({ code: "bug/invariant" });
});

const pidOf = async (connection: SqlConnection) =>
  (await connection.all(sql("SELECT pg_backend_pid() AS pid")))[0]?.["pid"] as number;

/** Ends the connection's process, as a restart or a failover does; resolves when it is gone. */
async function terminate(other: SqlExecutor, pid: number): Promise<void> {
  await other.run(sql("SELECT pg_terminate_backend($1::int)", pid));
  const isThere = sql("SELECT 1 AS x FROM pg_stat_activity WHERE pid = $1::int", pid);
  while ((await other.all(isThere)).length > 0) await other.all(isThere);
}

test("a transaction that loses its idle connection runs no further statement, and the next one works", async () => {
  const { executor, other } = await open();
  let late: unknown;
  const failed = executor.transaction(async (connection) => {
    await connection.run(insert("lost"));
    await terminate(other, await pidOf(connection));
    late = await errorOf(connection.run(insert("late")));
    return "hidden";
  });
  expect(executor.classify(await errorOf(failed))).toBe("retry");
  expect(late).toBeInstanceOf(Error);
  expect(await executor.transaction((connection) => idsOf(connection))).toEqual([]);
  await executor.transaction((connection) => connection.run(insert("next")));
  expect(await idsOf(other)).toEqual(["next"]);
});

test("a transaction that loses its connection during statements fails, with those that waited in line", async () => {
  const { executor, other } = await open();
  const failed = executor.transaction(async (connection) => {
    const pid = await pidOf(connection);
    const statements = [sql("SELECT pg_sleep(60)"), insert("a"), insert("b")].map((statement) =>
      errorOf(connection.run(statement)),
    );
    const isAsleep = sql("SELECT 1 AS x FROM pg_stat_activity WHERE pid = $1::int AND wait_event = 'PgSleep'", pid);
    while ((await other.all(isAsleep)).length === 0) await other.all(sql("SELECT 1"));
    await terminate(other, pid);
    const errors = await Promise.all(statements);
    expect(errors.map((error) => executor.classify(error))).toEqual(["retry", "retry", "retry"]);
  });
  expect(executor.classify(await errorOf(failed))).toBe("retry");
  await executor.batch([insert("x"), insert("y")]);
  expect(await idsOf(executor)).toEqual(["x", "y"]);
});

test("a server that cannot be reached is a retry", async () => {
  const handle = postgres.again(await postgres.open(), { port: 1, connect_timeout: 5 });
  const executor = fromPostgres(handle);
  expect(executor.classify(await errorOf(executor.all(sql("SELECT 1"))))).toBe("retry");
  expect(executor.classify(await errorOf(executor.transaction(async () => "never")))).toBe("retry");
});

/** Counts what has to be waited for: statements that are sent while others are under way cost no round trip more. */
function roundTrips(executor: SqlExecutor) {
  const count = { trips: 0 };
  let underWay = 0;
  const connectionOf = (connection: SqlConnection): SqlConnection => {
    const all: SqlConnection["all"] = async (statement) => {
      if (underWay === 0) count.trips += 1;
      underWay += 1;
      return connection.all(statement).finally(() => void (underWay -= 1));
    };
    return { all, run: async (statement) => void (await all(statement)) };
  };
  const transaction: SqlExecutor["transaction"] = async (fn) => {
    count.trips += 2; // BEGIN and COMMIT
    return executor.transaction((connection) => fn(connectionOf(connection)));
  };
  return { count, executor: { ...executor, transaction } };
}

test("a push costs four round trips, and two more for each mutation that inserts", async () => {
  const plain = await openEmpty();
  await ensureSchema({ schema, executor: plain });
  const { count, executor } = roundTrips(plain);
  const tripsOf = async (mutators: readonly Mutator[]) => {
    count.trips = 0;
    await push(depsOf(executor), mutators);
    return count.trips;
  };
  const read: Mutator = (db) => db.select().from(users);
  expect(await tripsOf([])).toBe(3);
  expect(await tripsOf([fail])).toBe(4);
  expect(await tripsOf([fail, read])).toBe(5);
  expect(await tripsOf([fail, read, addUser("a"), addUser("b")])).toBe(8);
});

const overflowing: Mutator = (db) => db.select({ sum: sum(things.big) }).from(things);

test("a read that fails refuses its mutation, also when the mutator catches, and no other", async () => {
  const executor = await openEmpty();
  await ensureSchema({ schema, executor });
  await executor.run(sql("INSERT INTO things (id, big) VALUES ('a', 9223372036854775807), ('b', 1)"));
  const caught: Mutator = async (db) => {
    await db.insert(users).values({ id: "lost", name: "lost" });
    await Promise.resolve(overflowing(db)).catch(() => undefined);
    await Promise.resolve(db.insert(users).values({ id: "late", name: "late" })).catch(() => undefined);
  };
  const outcomes = await push(depsOf(executor), [addUser("u"), overflowing, addUser("v"), caught, addUser("w")]);
  const no = "rejected data/invalid";
  expect([...outcomes.values()]).toEqual(["applied", no, "applied", no, "applied"]);
  expect((await executor.all(sql("SELECT id FROM users ORDER BY id"))).map((row) => row["id"])).toEqual([
    "u",
    "v",
    "w",
  ]);
});

test("a value that is too long for its index refuses its mutation: it would be so at each retry", async () => {
  const executor = await openEmpty();
  await ensureSchema({ schema, executor });
  const email = Array.from({ length: 400 }, (_, i) => createHash("sha256").update(String(i)).digest("hex")).join("");
  const outcomes = await push(depsOf(executor), [
    (db) => db.insert(users).values({ id: "u", name: "u", email }),
    addUser("v"),
  ]);
  expect([...outcomes.values()]).toEqual(["rejected data/invalid", "applied"]);
});

test("a broken constraint is named by table and columns, of several columns and in quotes, and NOT NULL too", async () => {
  const executor = await openEmpty();
  await ensureSchema({ schema, executor });
  const errorOfStatement = async (text: string) => classifiedError(executor, await errorOf(executor.run(sql(text))));
  const insert = 'INSERT INTO todos (id, title, "ownerId") VALUES';
  await executor.run(sql(`${insert} ('a', 'x)=(y', 'u')`));
  expect(await errorOfStatement(`${insert} ('b', 'x)=(y', 'u')`)).toMatchObject({
    code: "constraint/unique",
    data: { table: "todos", columns: ["ownerId", "title"] },
  });
  expect(await errorOfStatement(`${insert} ('a', 'z', 'u')`)).toMatchObject({ data: { columns: ["id"] } });
  expect(await errorOfStatement(`${insert} ('b', NULL, 'u')`)).toMatchObject({
    code: "constraint/not-null",
    data: { table: "todos", column: "title" },
  });
  const error = await errorOfStatement("INSERT INTO things (id, int) VALUES ('a', 1e30)");
  expect(error).toMatchObject({ code: "data/invalid", message: expect.not.stringContaining("1e30") });
});
