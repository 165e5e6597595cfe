// The order of the change log on Postgres, with writers at once: no reader who follows the log by position skips an entry.

import type { Sql } from "postgres";
import { describe, expect, test } from "vitest";
import { inArray } from "../../core/query/expressions.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { fromPostgres } from "./from-postgres.ts";
import { LOG_ORDER_TABLE } from "./log-order.ts";
import { usePostgres } from "./postgres-server.fixture.ts";
import { dbOf, depsOf, origin, schema, sql, users } from "./server-database.fixture.ts";
import type { PushDeps } from "./push-transaction.ts";
import type { SqlConnection, SqlExecutor, SqlStatement } from "./sql-executor.ts";
import { withPushTransaction } from "./with-push-transaction.ts";

const postgres = usePostgres();
const silent = { onnotice: () => undefined };

async function open() {
  const handle = await postgres.open(silent);
  const executor = fromPostgres(handle);
  await ensureSchema({ schema, executor });
  return { handle, executor, again: () => postgres.again(handle, silent) };
}

/** The executor with other statements in the place of some; none for null. */
function replacing(executor: SqlExecutor, replace: (text: string) => string | null): SqlExecutor {
  const connectionOf = (connection: SqlConnection): SqlConnection => {
    const all = async ({ text, params }: SqlStatement) => {
      const replaced = replace(text);
      return replaced === null ? [] : connection.all({ text: replaced, params });
    };
    return { all, run: async (statement) => void (await all(statement)) };
  };
  return { ...executor, transaction: (fn) => executor.transaction((connection) => fn(connectionOf(connection))) };
}

/** The executor as it would be without the lock: what the tests of this file find wrong. */
async function withoutLock(executor: SqlExecutor): Promise<SqlExecutor> {
  for (const table of ["users", "todos"]) await executor.run(sql(`DROP TRIGGER "_plasma_order.${table}" ON ${table}`));
  return replacing(executor, (text) => (text.startsWith(`LOCK TABLE ${LOG_ORDER_TABLE}`) ? null : text));
}

/** Reads the log as pulls do: what comes after the last entry that was seen. */
class Follower {
  readonly #executor: SqlExecutor;
  readonly #seen: number[] = [];

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async read(): Promise<void> {
    const after = this.#seen.at(-1) ?? 0;
    this.#seen.push(...(await this.#versionsAfter(after)));
  }

  /** Entries that are there and were never seen. */
  async missed(): Promise<number[]> {
    await this.read();
    return (await this.#versionsAfter(0)).filter((version) => !this.#seen.includes(version));
  }

  async #versionsAfter(after: number): Promise<number[]> {
    const text = "SELECT row_version FROM _plasma_changes WHERE row_version > $1::bigint ORDER BY row_version";
    return (await this.#executor.all(sql(text, after))).map((row) => Number(row["row_version"]));
  }
}

const insertUser = (id: string) => sql("INSERT INTO users (id, name) VALUES ($1, 'raw')", id);
const isAnyWaiting = sql("SELECT 1 AS x FROM pg_stat_activity WHERE wait_event_type = 'Lock'");

async function untilOneWaits(executor: SqlExecutor): Promise<void> {
  while ((await executor.all(isAnyWaiting)).length === 0) await executor.all(sql("SELECT 1"));
}

const isAnyHolding = sql("SELECT 1 AS x FROM pg_locks WHERE mode = 'ExclusiveLock' AND locktype = 'relation'");

async function untilLocked(executor: SqlExecutor): Promise<void> {
  while ((await executor.all(isAnyHolding)).length === 0) await executor.all(sql("SELECT 1"));
}

/** A push of one mutation that inserts users; `during` is awaited inside of it. */
function pushUsers(deps: PushDeps, clientID: string, ids: readonly string[], during?: () => Promise<void>) {
  const scope = { clientGroupID: "g", idsByClient: new Map([[clientID, [1]]]) };
  return withPushTransaction(deps, scope, async (tx) => {
    await tx.mutation(origin(1, clientID), async (store) => {
      await dbOf(store)
        .insert(users)
        .values(ids.map((id) => ({ id, name: "pushed" })));
      await during?.();
    });
    tx.advance(origin(1, clientID));
  });
}

interface Writer {
  /** Writes an entry, then commits when `during` has ended. */
  readonly write: (deps: PushDeps, id: string, during?: () => Promise<void>) => Promise<unknown>;
}
const writers: { readonly [name: string]: Writer } = {
  push: { write: (deps, id, during) => pushUsers(deps, id, [id], during) },
  "raw SQL": {
    write: ({ executor }, id, during) =>
      executor.transaction(async (connection) => {
        await connection.run(insertUser(id));
        await during?.();
      }),
  },
};

type Prepare = (executor: SqlExecutor) => Promise<SqlExecutor>;
const asItIs: Prepare = async (executor) => executor;

/** What went wrong: entries that a reader never saw, and pushes that had to run again. */
interface Harm {
  readonly missed: readonly number[];
  readonly conflicts: number;
}
const noHarm: Harm = { missed: [], conflicts: 0 };

/** One writer has its version and commits late; another comes meanwhile; a reader reads before and after. */
async function lateCommit(late: Writer, early: Writer, prepare: Prepare): Promise<Harm> {
  const { executor: plain, again } = await open();
  const executor = await prepare(plain);
  let conflicts = 0;
  const deps = depsOf(executor, { onGuardConflict: () => void (conflicts += 1) });
  const reader = fromPostgres(again());
  const follower = new Follower(reader);
  const [written, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const lateWrite = late.write(deps, "late", () => {
    written.resolve();
    return mayCommit.promise;
  });
  await written.promise;
  const earlyWrite = early.write(deps, "early");
  await Promise.race([earlyWrite, untilOneWaits(reader)]);
  await follower.read();
  mayCommit.resolve();
  await Promise.all([lateWrite, earlyWrite]);
  return { missed: await follower.missed(), conflicts };
}

describe.each(Object.keys(writers))("while %s has not committed", (late) => {
  test.each(Object.keys(writers))("%s does not get before it", async (early) => {
    const [first, second] = [writers[late] as Writer, writers[early] as Writer];
    expect(await lateCommit(first, second, asItIs)).toEqual(noHarm);
    // Of two pushes one may then fail to serialize, and be saved by its second run.
    expect(await lateCommit(first, second, withoutLock)).not.toEqual(noHarm);
  });
});

/** Pushes and raw transactions of many statements, each with pauses of its own, and a reader all the while. */
async function storm(round: number, prepare: Prepare): Promise<Harm> {
  const { executor: plain, again } = await open();
  await prepare(plain);
  let conflicts = 0;
  const pause = (n: number) => `SELECT pg_sleep(${((n * 7 + round * 3) % 5) / 1000})`;
  const pusher = async (name: string) => {
    const executor = prepareAgain(fromPostgres(again()), prepare);
    for (let i = 0; i < 8; i++) {
      const deps = depsOf(executor, { onGuardConflict: () => void (conflicts += 1) });
      await pushUsers(deps, `${name}${i}`, [`${name}${i}a`, `${name}${i}b`], () => executor.run(sql(pause(i))));
    }
  };
  const raw = async (name: string) => {
    const handle: Sql = again();
    for (let i = 0; i < 8; i++) {
      await handle.begin(async (transaction) => {
        for (const part of ["a", "b", "c"]) {
          await transaction.unsafe(`INSERT INTO users (id, name) VALUES ('${name}${i}${part}', 'raw')`);
          await transaction.unsafe(pause(i + 1));
        }
        await transaction.unsafe(`UPDATE users SET name = name || '!' WHERE name = 'pushed'`);
      });
    }
  };
  const follower = new Follower(fromPostgres(again()));
  const end = new AbortController();
  const reading = (async () => {
    while (!end.signal.aborted) await follower.read();
  })();
  const ends = await Promise.allSettled([pusher("p"), pusher("q"), raw("r"), raw("s")]);
  end.abort();
  await reading;
  // Without the lock writers fail, too.
  if (prepare === asItIs) expect(ends.filter(({ status }) => status === "rejected")).toEqual([]);
  return { missed: await follower.missed(), conflicts };
}

/** The triggers are gone already. */
const prepareAgain = (executor: SqlExecutor, prepare: Prepare): SqlExecutor =>
  prepare === withoutLock ? replacing(executor, (text) => (text.startsWith("LOCK TABLE") ? null : text)) : executor;

test(
  "a storm of pushes and raw transactions: a reader misses no entry, and no push runs twice",
  { timeout: 120_000 },
  async () => {
    for (let round = 0; round < 3; round++) {
      expect(await storm(round, asItIs)).toEqual(noHarm);
    }
  },
);

test("without the lock the same storm makes a reader miss entries", { timeout: 120_000 }, async () => {
  let missed: readonly number[] = [];
  for (let round = 0; round < 20 && missed.length === 0; round++) ({ missed } = await storm(round, withoutLock));
  expect(missed.length).toBeGreaterThan(0);
});

test("a raw transaction and a push that touch the same rows in opposite orders do not block each other for good, and the push sees what the other did", async () => {
  const { executor, again } = await open();
  await executor.batch([insertUser("a"), insertUser("b")]);
  const handle = again();
  let runs = 0;
  let conflicts = 0;
  let pushing: Promise<unknown> = Promise.resolve();
  await handle.begin(async (transaction) => {
    await transaction.unsafe("UPDATE users SET name = 'raw a' WHERE id = 'a'");
    const deps = depsOf(executor, { onGuardConflict: () => void (conflicts += 1) });
    pushing = withPushTransaction(deps, { clientGroupID: "g", idsByClient: new Map([["c", [1]]]) }, async (tx) => {
      runs += 1;
      await tx.mutation(origin(1, "c"), async (store) => {
        const names = await dbOf(store).select({ name: users.name }).from(users).orderBy(users.id);
        expect(names).toEqual([{ name: "raw a" }, { name: "raw b" }]);
        for (const id of ["b", "a"])
          await dbOf(store)
            .update(users)
            .set({ name: "push" })
            .where(inArray(users.id, [id]));
      });
    });
    await untilOneWaits(executor);
    await transaction.unsafe("UPDATE users SET name = 'raw b' WHERE id = 'b'");
  });
  await pushing;
  expect([runs, conflicts]).toEqual([1, 0]);
});

test("while the lock is held reads go on, and pushes that wait leave connections for them", async () => {
  const { handle, executor: holder } = await open();
  const executor = fromPostgres(postgres.again(handle, { ...silent, max: 3 }));
  const ids = Array.from({ length: 10 }, (_, i) => `c${i}`);
  let pushes: readonly Promise<void>[] = [];
  await holder.transaction(async (connection) => {
    await connection.run(insertUser("held"));
    pushes = ids.map((id) => pushUsers(depsOf(executor), id, [id]));
    await untilOneWaits(holder);
    expect(await executor.batch([sql("SELECT id FROM users"), sql("SELECT 1 AS one")])).toEqual([[], [{ one: 1 }]]);
  });
  await Promise.all(pushes);
  const committed = await executor.all(sql("SELECT id FROM users WHERE name = 'pushed' ORDER BY id"));
  expect(committed.map((row) => row["id"])).toEqual(ids);
});

test("a push that waits too long for the lock is to be tried again", async () => {
  const { executor: holder, again } = await open();
  const impatient = replacing(fromPostgres(again()), (text) =>
    text.startsWith("SET LOCAL lock_timeout") ? "SET LOCAL lock_timeout = 20" : text,
  );
  await holder.transaction(async (connection) => {
    await connection.run(insertUser("held"));
    const push = pushUsers(depsOf(impatient), "c", ["late"]);
    await expect(push).rejects.toMatchObject({ code: "server/retry", cause: { code: "55P03" } });
  });
  await pushUsers(depsOf(impatient), "c", ["late"]);
});

test("pushes that stop in the middle lose the lock and are to be tried again; they hold up no other", async () => {
  const { executor, again } = await open();
  const impatient = replacing(fromPostgres(again()), (text) =>
    text.startsWith("SET LOCAL idle_in") ? "SET LOCAL idle_in_transaction_session_timeout = 20" : text,
  );
  const otherIsDone = Promise.withResolvers<void>();
  const stopped = ["a", "b", "c"].map((id) => pushUsers(depsOf(impatient), id, [id], () => otherIsDone.promise));
  await untilLocked(executor);
  await pushUsers(depsOf(impatient), "d", ["d"]);
  otherIsDone.resolve();
  for (const push of stopped) await expect(push).rejects.toMatchObject({ code: "server/retry" });
  expect((await executor.all(sql("SELECT id FROM users"))).map((row) => row["id"])).toEqual(["d"]);
});
