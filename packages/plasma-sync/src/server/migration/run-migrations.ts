// Owns: runMigrations: takes a database from the schema that it was made for to the one given, all or nothing.

import { isPlasmaError, type PlasmaError } from "../../core/error.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { serverError } from "../server-error.ts";
import { readNote } from "./database-state.ts";
import { planMigration, type MigrationPlan } from "./plan-migration.ts";
import { fingerprintKey, putInPlace, serverTables } from "./schema-statements.ts";

export interface MigrationReport {
  /** The statements that were run, with `dryRun` those that would be, in order; none when everything is in place. */
  readonly statements: readonly string[];
}

/** The schema asks for what cannot be added; \`data.refusals\` holds one sentence for each such thing. */
export type MigrationRefused = PlasmaError<"migration/refused">;
export const isMigrationRefused = (error: unknown): error is MigrationRefused =>
  isPlasmaError(error, "migration/refused");

/**
 * Adds what the schema has and the database lacks: tables, columns that may be null or have a default, indexes and unique
 * constraints; drops indexes that Plasma made and the schema no longer wants; makes the change log's triggers anew where they
 * are missing or altered. Run again, it does nothing. Rows are not written, so clients are sent nothing by it.
 *
 * @param options.dryRun Only tell the statements. Default false.
 * @throws PlasmaError `migration/refused`, before anything is changed, with every column that was dropped or has another
 * type, that is new and neither nullable nor has a default, or whose nullability differs; with every table that was dropped;
 * and with every unique constraint that rows already break. Guide: docs/guides/migrations.md.
 * @example
 * const { statements } = await runMigrations({ schema, executor: fromD1(env.DB), dryRun: true });
 */
export async function runMigrations(options: {
  readonly schema: AnySchema;
  readonly executor: SqlExecutor;
  readonly dryRun?: boolean;
}): Promise<MigrationReport> {
  const plan = await plannedOf(options);
  if (options.dryRun === true || isInPlace(plan)) return { statements: plan.ddl };
  try {
    await put(options.executor, plan);
    return { statements: plan.ddl };
  } catch (error) {
    // Another process may have done the same meanwhile: then little or nothing is left.
    const rest = await plannedOf(options);
    if (rest.ddl.join() === plan.ddl.join()) throw error;
    if (!isInPlace(rest)) await put(options.executor, rest);
    return { statements: rest.ddl };
  }
}

/**
 * For a database that nobody outside of this process can reach, such as a Durable Object's: migrates it when its schema is
 * new to it, which costs one select when it is not. What is refused is left to `ensureSchema`, at each request.
 */
export async function migrateIfNew({
  schema,
  executor,
}: {
  readonly schema: AnySchema;
  readonly executor: SqlExecutor;
}): Promise<void> {
  if ((await readNote(executor, fingerprintKey(executor.dialect, serverTables(schema)))) !== undefined) return;
  try {
    await runMigrations({ schema, executor });
  } catch (error) {
    if (!isMigrationRefused(error)) throw error;
  }
}

async function plannedOf({ schema, executor }: { readonly schema: AnySchema; readonly executor: SqlExecutor }) {
  const plan = await planMigration(schema, executor);
  if (plan.refusals.length > 0) throw serverError("migration/refused", { refusals: plan.refusals });
  return plan;
}

const isInPlace = ({ ddl, isNoted }: MigrationPlan): boolean => ddl.length === 0 && isNoted;

const put = (executor: SqlExecutor, { ddl, notes, triggers }: MigrationPlan): Promise<void> =>
  putInPlace(executor, ddl, notes, triggers);
