// Owns: the one error class and the table of the errors that a person can meet (those of the server alone: server-errors.ts).
// Invariants:
//   1. A code is stable for ever; its first part is an area, its second says what is wrong.
//   2. A message says what happened, with names, then the fix. It never carries row values or secrets.
//   3. Errors are recognised by `isPlasmaError` (a brand), never by `instanceof`: two copies of the package do meet.

import type { serverErrors } from "./server-errors.ts";

type Names = readonly string[];
const oneOf = (names: Names): string => (names.length === 0 ? "there are none" : `use one of: ${names.join(", ")}`);

/** One thing that an args schema found wrong, and where in the args. */
export interface ArgsIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Code → message. `data` is what the thrower knows; the message is made from it alone. */
const catalog = {
  "bug/invariant": (d: { invariant: string }) =>
    `Plasma broke its own rule: ${d.invariant}. This is a bug in Plasma; please report it with what led to it.`,

  "schema/name": (d: { what: string; name: string }) =>
    `The ${d.what} name "${d.name}" cannot be used: names match [A-Za-z_][A-Za-z0-9_]*, do not begin with "_plasma_", and are no name that every JavaScript object has. Choose another name.`,
  "schema/duplicate": (d: { what: string; name: string }) =>
    `The ${d.what} "${d.name}" is defined twice (names are compared without case). Rename one of them.`,
  "schema/id-column": (d: { table: string; found: Names }) =>
    `Table "${d.table}" needs exactly one id() column, named "id"; it has ${d.found.length === 0 ? "none" : d.found.join(", ")}. Write { id: id(), … }.`,
  "schema/key": (d: { key: string; table: string }) =>
    `defineSchema has table "${d.table}" under the key "${d.key}". Keys equal table names: write { ${d.table}: … }.`,
  "schema/not-a-table": (d: { key: string }) =>
    `defineSchema's "${d.key}" is not a table. Make it with table("${d.key}", { … }).`,
  "schema/not-a-column": (d: { table: string; column: string }) =>
    `Table "${d.table}" has "${d.column}", which is not a column. Use id(), text(), int() and the other column functions.`,
  "schema/default": (d: { table: string; column: string; expected: string }) =>
    `The default of "${d.table}.${d.column}" is not ${d.expected}. Give a value of the column's type.`,
  "schema/ref-target": (d: { table: string; column: string; why: string }) =>
    `The ref "${d.table}.${d.column}" ${d.why}. Point it at the id column of a table in the schema: ref(() => users.id).`,
  "schema/modifier": (d: { table: string; column: string; why: string }) => `Column "${d.table}.${d.column}": ${d.why}`,
  "schema/index": (d: { table: string; column: string; why: string }) =>
    `An index or unique of table "${d.table}" names "${d.column}": ${d.why}`,
  "schema/read-rules": (d: { table: string }) =>
    `Table "${d.table}" has auth.read and auth.readWhere. Keep one of them.`,
  "schema/file-upload": (d: { upload: string }) =>
    `file({ upload: "${d.upload}" }) is not supported: uploads go through the sync server. Leave the option out or write "proxy".`,
  "schema/file-option": (d: { table: string; column: string; option: string; why: string }) =>
    `The file() column "${d.table}.${d.column}": "${d.option}" ${d.why}.`,
  "schema/unbound-column": (d: { where: string }) =>
    `A column that belongs to no table was used in ${d.where}. Take it from a table: todos.title.`,

  "query/unknown-column": (d: { table: string; column: string; known: Names }) =>
    `Table "${d.table}" has no column "${d.column}"; ${oneOf(d.known)}.`,
  "query/unknown-table": (d: { table: string; known: Names }) =>
    `The schema has no table "${d.table}"; ${oneOf(d.known)}.`,
  "query/not-in-from": (d: { table: string; column: string; known: Names }) =>
    `"${d.table}.${d.column}" is used, but "${d.table}" is not in this query. Join it, or use a column of: ${d.known.join(", ")}.`,
  "query/no-from": () => `A select has no table. Write .select().from(table).`,
  "query/join-on": (d: { table: string; found: number }) =>
    `The join with "${d.table}" has no condition, and ${d.found} refs link it to the query. Write the condition: .innerJoin(${d.table}, eq(a.x, b.y)).`,
  "query/duplicate-source": (d: { table: string }) =>
    `"${d.table}" is in this query twice. Give one of them another name with alias(table, "other").`,
  "query/kinds": (d: { left: string; right: string; op: string }) =>
    `${d.op} compares ${d.left} with ${d.right}, which are different kinds. Compare values of one kind.`,
  "query/value": (d: { table: string; column: string; expected: string; got: string }) =>
    `"${d.table}.${d.column}" takes ${d.expected}, but got ${d.got}.`,
  "query/condition": (d: { got: string }) =>
    `A condition was expected, but got ${d.got}. Make one with eq, inArray, and, or and the like: where(eq(todos.done, true)).`,
  "query/like-pattern": (d: { bytes: number; bytesMax: number }) =>
    `A like pattern of ${d.bytes} bytes is too long: at most ${d.bytesMax}. Shorten it.`,
  "query/limit": (d: { what: string; got: string }) => `${d.what}(${d.got}) is not a whole number of 0 or more.`,
  "query/where-required": (d: { statement: string; table: string }) =>
    `${d.statement}("${d.table}") has no where. Add .where(…), or .all() if every row is meant.`,
  "query/unsupported": (d: { what: string }) => `${d.what} is not supported here.`,
  "query/unbound": () =>
    `This select is bound to no database. Use db.select() to run it; the free select() is for subqueries only.`,
  "query/order": (d: { table: string; column: string; kind: string }) =>
    `"${d.table}.${d.column}" (${d.kind}) has no order. Order by a column of another kind.`,

  "query/aggregate": (d: { fn: string; place: string }) =>
    `${d.place} uses ${d.fn}(), which is known only of a group. Put it in having, projection or orderBy.`,
  "query/group": (d: { table: string; column: string; place: string; groupBy: Names }) =>
    `${d.place} uses "${d.table}.${d.column}" beside aggregates or groupBy, but rows are not grouped by it. Add it to groupBy (now: ${d.groupBy.join(", ") || "none"}) or aggregate it.`,
  "query/group-projection": () =>
    `A grouped select says what each group shows: db.select({ ownerId: todos.ownerId, n: count() }).`,
  "query/distinct-order": (d: { column: string }) =>
    `distinct() orders by "${d.column}", which the select does not project. Add it to the projection.`,
  "query/include-key": (d: { key: string }) =>
    `include({ ${d.key} }) would replace a column or source of that name. Choose another key.`,
  "query/in-subquery": (d: { columns: Names }) =>
    `A subquery in inArray selects one column, but this one selects ${d.columns.join(", ") || "whole rows"}. Write select({ id: t.id }).`,
  "query/after": (d: { column: string }) =>
    `after(row) needs the value of "${d.column}", by which rows are ordered, and the row has none. Pass a row of this query that holds it.`,
  "query/subquery-rows": (d: { alias: string }) =>
    `The subquery "${d.alias}" has joined or nested rows, which are no table. Give it a projection: select({ title: todos.title }).`,

  "data/invalid": (d: { table: string; column: string; expected: string; got: string }) =>
    `"${d.table}.${d.column}" takes ${d.expected}, but got ${d.got}.`,
  "data/missing": (d: { table: string; column: string }) =>
    `"${d.table}.${d.column}" has no value, no default and is not nullable. Give it a value.`,
  "data/unknown-column": (d: { table: string; column: string; known: Names }) =>
    `Table "${d.table}" has no column "${d.column}"; ${oneOf(d.known)}.`,
  "data/id-change": (d: { table: string }) =>
    `An update of "${d.table}" sets "id". An id never changes: delete the row and insert another.`,
  "limit/row": (d: { table: string; sizeBytes: number; sizeBytesMax: number }) =>
    `A row of "${d.table}" takes ${d.sizeBytes} bytes; at most ${d.sizeBytesMax} fit. Keep large content in a file() column.`,
  "constraint/unique": (d: { table: string; columns: Names }) =>
    `Another row of "${d.table}" already has this ${d.columns.join(" + ")}. Use another value.`,
  "constraint/restrict": (d: { table: string; child: string; column: string }) =>
    `A row of "${d.table}" cannot be deleted while rows of "${d.child}" refer to it by "${d.column}". Delete those first.`,
  "constraint/not-null": (d: { table: string; column: string }) =>
    `"${d.table}.${d.column}" cannot be null. Give it a value.`,
  "blob/refused": (d: { what: string; why: string }) => `${d.what} was refused: ${d.why}.`,
  "auth/denied": (d: { table: string; action: string }) => `You may not ${d.action} this row of "${d.table}".`,

  "mutation/unknown": (d: { name: string; known: Names }) => `There is no mutator "${d.name}"; ${oneOf(d.known)}.`,
  "mutation/args": (d: { name: string; issues: string; details?: readonly ArgsIssue[] }) =>
    `The args of mutator "${d.name}" are not valid: ${d.issues}`,
  "mutation/args-value": (d: { name: string; path: string; got: string }) =>
    `The args of mutator "${d.name}" hold ${d.got} at ${d.path}, which cannot be sent. Use JSON values, arrays, bigint, Uint8Array or a file.`,
  "mutation/args-size": (d: { name: string; sizeBytes: number; sizeBytesMax: number }) =>
    `The args of mutator "${d.name}" take ${d.sizeBytes} bytes; at most ${d.sizeBytesMax} fit. Split the work into several mutations.`,
  "mutation/definition": (d: { name: string; why: string }) => `Mutator "${d.name}": ${d.why}`,
  "mutation/app": (d: { name: string; message: string }) => d.message,
  "mutation/foreign-await": (d: { name: string }) =>
    `Mutator "${d.name}" awaited something other than Plasma's db. Do that before you call it, and pass the result as an argument.`,
  "mutation/ended": () => `A mutator used its db after it had ended. Await every call on db inside the mutator.`,

  "client/write-outside-mutator": (d: { statement: string; table: string }) =>
    `${d.statement}("${d.table}") outside a mutator. client.db only reads: write in a mutator and call client.mutate.`,
  "client/closed": () => `The client is closed. Create a new one.`,
  "client/option": (d: { option: string; why: string; of?: string }) =>
    `${d.of ?? "createPlasmaClient"}: "${d.option}" ${d.why}`,
  "client/storage": (d: { what: string }) =>
    `The local database failed: ${d.what}. The change was not saved and has been taken back.`,
  "client/file": (d: { name: string; what: string }) =>
    `The file "${d.name}" could not be read: ${d.what}. It may have been moved, changed or removed since it was chosen: choose it again.`,
  "client/download": (d: { hash: string; why: string }) =>
    `A file could not be fetched: ${d.why}. It is asked for again while it is watched; or call readFile again.`,
  "client/deposed": () => `Another tab has taken over syncing.`,
  "client/stale": () => `The local database is ahead of what this tab has heard of.`,
  "client/outdated": (d: { schemaVersion: string }) =>
    `Another tab has opened this app with schema version "${d.schemaVersion}". This page can save nothing more: reload it.`,
  "client/reset": () => `The local database was reset before the server had confirmed this change.`,
  "client/evicted": (d: { lost: number }) =>
    `The browser has deleted the local database: site data was cleared, or the disk was full. ${d.lost} changes of this page that were not sent are lost; onReset was given them. Everything else is fetched anew. navigator.storage.persist() asks the browser not to delete it.`,
  "client/offline": (d: { what: string }) =>
    `${d.what} would erase what nothing could restore: this client is offline. Make one with offline: false first.`,
  "client/no-provider": () => `No Plasma client found. Wrap the app in <PlasmaProvider client={client}>.`,

  "protocol/field": (d: { path: string; expected: string }) => `"${d.path}" is not ${d.expected}.`,
} as const satisfies Record<string, (data: never) => string>;

type Catalog = typeof catalog & typeof serverErrors;

export type PlasmaErrorCode = keyof Catalog;
/** What an error of this code knows, for programs that act on it. */
export type PlasmaErrorData<C extends PlasmaErrorCode> =
  Parameters<Catalog[C]> extends [infer D] ? D : Record<never, never>;

const brand = Symbol.for("plasma-sync.error");

/**
 * The one error class of Plasma. `code` is stable, `data` holds the facts, `message` ends with the code in brackets,
 * `text` is the message without it, for showing to people.
 */
export class PlasmaError<C extends PlasmaErrorCode = PlasmaErrorCode> extends Error {
  readonly code: C;
  readonly data: PlasmaErrorData<C>;
  readonly text: string;
  readonly [brand] = true;

  /** `text` replaces the table's message: `serverError` gives it, whose table the page's bundle does not hold. */
  constructor(code: C, data: PlasmaErrorData<C>, options: ErrorOptions & { readonly text?: string } = {}) {
    const text = options.text ?? (catalog[code as keyof typeof catalog] as (d: PlasmaErrorData<C>) => string)(data);
    super(`${text} [${code}]`, options);
    this.name = "PlasmaError";
    this.code = code;
    this.data = data;
    this.text = text;
  }
}

/** Whether `error` is a PlasmaError, of `code` when given. Works across copies of the package. */
export function isPlasmaError<C extends PlasmaErrorCode>(error: unknown, code?: C): error is PlasmaError<C> {
  if (typeof error !== "object" || error === null || !(brand in error)) return false;
  return code === undefined || (error as PlasmaError).code === code;
}

/** The args schema of a mutator refused the args: \`data.name\` is the mutator, \`data.details\` the issues. */
export type MutatorValidationError = PlasmaError<"mutation/args">;
export const isMutatorValidationError = (error: unknown): error is MutatorValidationError =>
  isPlasmaError(error, "mutation/args");

/** A rule of \`auth.write\` refused a row: \`data.table\`, \`data.action\`. */
export type PlasmaAuthorizationError = PlasmaError<"auth/denied">;
export const isPlasmaAuthorizationError = (error: unknown): error is PlasmaAuthorizationError =>
  isPlasmaError(error, "auth/denied");

/** What an error of whatever kind says. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
