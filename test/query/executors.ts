// Owns: the executors that have to agree with `evaluate`, each following a case's rows: the replica's query runtime, live and
// asked once, and databases.

import { createQueryRuntime } from "../../packages/plasma-sync/src/client/ivm/create-query-runtime.ts";
import type { QueryRuntime } from "../../packages/plasma-sync/src/client/ivm/query-runtime.ts";
import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import type { AnySchema, ResultRow, Row, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import type { TableMeta } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { SqlExecutor, SqlStatement } from "../../packages/plasma-sync/src/server/database/sql-executor.ts";
import { compileSelect } from "../../packages/plasma-sync/src/server/sql/compile-select.ts";
import { deleteStatements, putStatements } from "../../packages/plasma-sync/src/server/sql/row-statements.ts";
import { sqlType } from "../../packages/plasma-sync/src/server/sql/sql-value.ts";
import type { Case, Step } from "./case.ts";
import { expectSame, Mismatch } from "./mismatch.ts";
import { showOf } from "./show.ts";
import { TABLE_NAMES } from "./world.ts";
import { watchLive } from "./watch-live.ts";

type Rows = readonly ResultRow[];
type Awaitable<T> = T | Promise<T>;

/** Follows one case. Each throws a Mismatch where its answer is not the one expected. */
export interface Follower {
  /** Checks the answer for the rows as they are. */
  check(expected: Rows): Awaitable<void>;
  /** Makes a step's changes, and checks what it gives after them. */
  step(step: Step): Awaitable<void>;
  /** Checks the answer to another query over the rows as they are. */
  ask(name: string, query: SelectNode, expected: Rows): Awaitable<void>;
}

export interface Executor {
  readonly name: string;
  /** Takes the case's first rows. */
  open(given: Case): Awaitable<Follower>;
}

/** Live queries, deltas, selects and selects over a transaction's writes. */
export const incremental: Executor = {
  name: "incremental",
  open({ schema, start, query }) {
    const runtime = createQueryRuntime({
      schema,
      onError: (error) => {
        throw error;
      },
    });
    for (const [table, rows] of start) runtime.fill(table, [...rows.values()]);
    const watched = watchLive(runtime.live(query));
    runtime.setStatus("complete");
    const ask = (name: string, asked: SelectNode, expected: Rows) => expectSame(name, runtime.select(asked), expected);
    return {
      ask,
      check(expected) {
        watched.checkRows(expected);
        ask("select", query, expected);
      },
      step({ changes, expected, isAltered, overlaid }) {
        watched.startCommit();
        runtime.commit(changes);
        watched.checkDelivery(isAltered);
        watched.checkRows(expected);
        ask("select", query, expected);
        expectSame("select over writes", runtime.select(query, overlayOf(overlaid.writes)), overlaid.expected);
        ask("select after one over writes", query, expected);
      },
    };
  },
};

/** Live queries that start after commits, again and again, and stop: what is left of them must do no harm. */
export const startedAnew: Executor = {
  name: "started anew",
  open({ schema, start, query }) {
    const runtime: QueryRuntime = createQueryRuntime({ schema });
    for (const [table, rows] of start) runtime.fill(table, [...rows.values()]);
    runtime.setStatus("complete");
    const check = (expected: Rows): void => {
      const watched = watchLive(runtime.live(query));
      watched.checkRows(expected);
      watched.stop();
    };
    return {
      check,
      ask: () => undefined,
      step({ changes, expected }) {
        runtime.commit(changes);
        check(expected);
      },
    };
  },
};

function overlayOf(writes: readonly RowChange[]): Map<string, Map<string, Row | null>> {
  const overlay = new Map<string, Map<string, Row | null>>();
  for (const { table, id, after } of writes) overlay.set(table, (overlay.get(table) ?? new Map()).set(id, after));
  return overlay;
}

/** How a database stores rows. */
export interface Storing {
  readonly create: (meta: TableMeta) => SqlStatement;
  readonly put: (meta: TableMeta, rows: readonly Row[]) => readonly SqlStatement[];
  readonly remove: (table: string, ids: readonly string[]) => readonly SqlStatement[];
}

const sqliteStoring: Storing = {
  create(meta) {
    const columns = meta.columns.map(
      ({ def }) => `"${def.name}" ${sqlType(def.kind)}${def.kind === "id" ? " PRIMARY KEY" : ""}`,
    );
    return { text: `CREATE TABLE "${meta.name}" (${columns.join(", ")})`, params: [] };
  },
  put: (meta, rows) => putStatements("sqlite", meta, rows),
  remove: (table, ids) => deleteStatements("sqlite", table, ids),
};

/** A database. It is one for all cases: each makes its tables anew. */
export function databaseExecutor(name: string, database: SqlExecutor, storing: Storing = sqliteStoring): Executor {
  return {
    name,
    async open(given) {
      await database.batch([
        ...TABLE_NAMES.map((table) => ({ text: `DROP TABLE IF EXISTS "${table}"`, params: [] })),
        ...fillStatements(given, storing),
      ]);
      return followDatabase(name, { database, storing, given });
    },
  };
}

function fillStatements({ schema, start }: Case, storing: Storing): SqlStatement[] {
  return [...schema.tablesByName.values()].flatMap((meta) => {
    const rows = [...(start.get(meta.name)?.values() ?? [])];
    return [storing.create(meta), ...(rows.length === 0 ? [] : storing.put(meta, rows))];
  });
}

interface Opened {
  readonly database: SqlExecutor;
  readonly storing: Storing;
  readonly given: Case;
}

function followDatabase(name: string, { database, storing, given }: Opened): Follower {
  const { schema, query } = given;
  const compiled = compileSelect(query, { schema, dialect: database.dialect });
  const run = async (what: string, { text, params, decode }: typeof compiled, expected: Rows): Promise<void> => {
    try {
      expectSame(what, decode(await database.all({ text, params })), expected, { isRounding: true });
    } catch (error) {
      throw error instanceof Mismatch ? error : new Mismatch(what, `${String(error)}\n${text}\n${showOf(params)}`);
    }
  };
  const check = (expected: Rows): Promise<void> => run(name, compiled, expected);
  return {
    check,
    ask: (what, asked, expected) =>
      run(`${name}: ${what}`, compileSelect(asked, { schema, dialect: database.dialect }), expected),
    async step({ changes, expected }) {
      const statements = changes.flatMap((change) => statementsOf(change, schema, storing));
      if (statements.length > 0) await database.batch(statements);
      await check(expected);
    },
  };
}

function statementsOf({ table, id, after }: RowChange, schema: AnySchema, storing: Storing): readonly SqlStatement[] {
  return after === null
    ? storing.remove(table, [id])
    : storing.put(schema.tablesByName.get(table) as TableMeta, [after]);
}
