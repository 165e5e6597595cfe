// Owns: expectVisible and expectNotVisible: which rows a client has, once it has all that it may see.

import { sameValue } from "../core/lib/deep-equal.ts";
import { metaOf, type AnyTable, type InferRow } from "../core/schema/table.ts";
import type { AnyMutators } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { TestClient } from "./test-client.ts";
import { showValue, TestFailure } from "./test-failure.ts";
import { tabOf } from "./test-tab.ts";

/** A table of the client's schema. */
export type TableOf<S extends AnySchema> = S["tables"][keyof S["tables"]];
/** A row by its id, or by some of its columns. */
export type RowPattern<T extends AnyTable> = string | Partial<InferRow<T>>;

/**
 * Lets the world settle, and fails unless the client has each of the rows.
 *
 * @throws TestFailure `test/not-visible`, naming what is missing and what is there.
 * @example
 * await expectVisible(grace, todos, [{ title: "Pack" }]);
 */
export async function expectVisible<S extends AnySchema, M extends AnyMutators, T extends TableOf<S>>(
  client: TestClient<S, M>,
  table: T,
  rows: readonly RowPattern<T>[],
): Promise<void> {
  const there = await rowsOf(client, table);
  const missing = rows.filter((pattern) => !there.some((row) => fits(row, pattern)));
  if (missing.length === 0) return;
  throw new TestFailure(
    "test/not-visible",
    `Expected ${client.user} to see in "${metaOf(table).name}": ${missing.map(showValue).join(", ")}. ${theySee(client, there)}`,
    { actual: there, expected: rows },
  );
}

/**
 * Lets the world settle, and fails if the client has any of the rows; without `rows`, if it has any row of the table.
 *
 * @throws TestFailure `test/visible`, naming the rows.
 * @example
 * await expectNotVisible(linus, todos);
 */
export async function expectNotVisible<S extends AnySchema, M extends AnyMutators, T extends TableOf<S>>(
  client: TestClient<S, M>,
  table: T,
  rows?: readonly RowPattern<T>[],
): Promise<void> {
  const there = await rowsOf(client, table);
  const seen = rows === undefined ? there : there.filter((row) => rows.some((pattern) => fits(row, pattern)));
  if (seen.length === 0) return;
  const { name } = metaOf(table);
  throw new TestFailure(
    "test/visible",
    `Expected ${client.user} not to see in "${name}": ${seen.map(showValue).join(", ")}.`,
  );
}

/**
 * Lets the world settle, and fails if any answer of the server to the client's user has ever held one of the texts: an id, a
 * title. Stronger than `expectNotVisible`: what a forged client could read is found, too.
 *
 * @throws TestFailure `test/told`, naming the text.
 * @example
 * await expectNeverTold(linus, "trip", "Pack");
 */
export async function expectNeverTold<S extends AnySchema, M extends AnyMutators>(
  client: TestClient<S, M>,
  ...texts: readonly string[]
): Promise<void> {
  const tab = tabOf(client);
  await tab.settle();
  const told = tab.toldOf(texts);
  if (told !== null) throw new TestFailure("test/told", `The server has told ${client.user} of ${showValue(told)}.`);
}

type AnyRow = { readonly [column: string]: unknown };

async function rowsOf<S extends AnySchema, M extends AnyMutators>(
  client: TestClient<S, M>,
  table: AnyTable,
): Promise<readonly AnyRow[]> {
  await tabOf(client).settle();
  return client.db.select().from(table);
}

function fits(row: AnyRow, pattern: string | object): boolean {
  if (typeof pattern === "string") return row["id"] === pattern;
  return Object.entries(pattern).every(([column, value]) => sameValue(row[column], value));
}

function theySee(client: { readonly user: string }, rows: readonly AnyRow[]): string {
  if (rows.length === 0) return `${client.user} sees no row of it.`;
  return `${client.user} sees ${rows.length}: ${rows
    .map((row) => showValue(row))
    .join(", ")
    .slice(0, 1000)}`;
}
