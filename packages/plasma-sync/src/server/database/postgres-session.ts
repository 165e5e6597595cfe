// Owns: one statement on a connection of the package postgres: how values go out and come back (see from-postgres.ts).

import { must } from "../../core/lib/assert.ts";
import { fromHex } from "../../core/lib/hex.ts";
import type { SqlParam, SqlRow, SqlStatement } from "./sql-executor.ts";

/** What Plasma uses of a connection, or of the handle itself. */
export interface PostgresSession {
  unsafe(text: string, params?: never[], options?: { readonly prepare?: boolean }): { raw(): PromiseLike<unknown> };
  typed(value: never, type: number): unknown;
}

export interface PostgresAnswer {
  readonly rows: readonly SqlRow[];
  /** What the server says it did: `SELECT`, `COMMIT`, … */
  readonly command: string;
}

/** Object ids of types, from pg_type. `UNKNOWN` leaves the type to Postgres, and the package does not encode the value. */
const UNKNOWN = 705;
const BYTEA = 17;
const BOOL = 16;
const NUMBERS = new Set([21, 23, 26, 700, 701]);

/** Not `simple`, which the package takes for a text without parameters: a simple query is never prepared. */
const EXTENDED: { readonly prepare: boolean; readonly simple: boolean } = { prepare: true, simple: false };

/** Runs a statement, prepared once per connection. */
export async function execute(session: PostgresSession, { text, params }: SqlStatement): Promise<PostgresAnswer> {
  const typed = params.map((param) => {
    const isBytes = param instanceof Uint8Array;
    return session.typed(wireValue(param) as never, isBytes ? BYTEA : UNKNOWN) as never;
  });
  const answer = (await session.unsafe(text, typed, EXTENDED).raw()) as RawAnswer;
  return { rows: rowsOf(answer), command: answer.command };
}

/** The package writes numbers as `String` does, which forgets the sign of zero. */
const wireValue = (param: SqlParam): SqlParam => (Object.is(param, -0) ? "-0" : param);

interface RawAnswer extends ReadonlyArray<readonly (Uint8Array | null)[]> {
  readonly command: string;
  /** Absent for statements that return no rows. */
  readonly columns?: readonly { readonly name: string; readonly type: number }[];
}

function rowsOf(answer: RawAnswer): readonly SqlRow[] {
  const columns = (answer.columns ?? []).map(({ name, type }) => ({ name, decode: decoderOf(type) }));
  return answer.map((values) => {
    const row: { [column: string]: unknown } = {};
    for (const [i, { name, decode }] of columns.entries()) {
      const value = values[i] ?? null;
      row[name] = value === null ? null : decode(value);
    }
    return row;
  });
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const text = (value: Uint8Array): string => utf8.decode(value);
const LETTER_T = 0x74;

function decoderOf(type: number): (value: Uint8Array) => unknown {
  if (type === BOOL) return (value) => value[0] === LETTER_T;
  if (NUMBERS.has(type)) return (value) => Number(text(value));
  if (type === BYTEA) return (value) => must(fromHex(text(value).slice(2)), "postgres: bytea_output is hex");
  return text;
}
