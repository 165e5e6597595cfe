// Owns: Db, what mutators and apps query and write with, and `createDb`, which binds it to an engine.

import type { AnySchema } from "../schema/schema.ts";
import type { AnyTable } from "../schema/table.ts";
import type { QueryEngine } from "./query-engine.ts";
import { SelectStart, type Projection } from "./select-builder.ts";
import { deleteFrom, InsertStart, UpdateStart, type Filtered } from "./write-builders.ts";

export interface Db {
  /** All columns, or those of the projection: `db.select({ name: users.name }).from(users)`. */
  select(): SelectStart<undefined>;
  select<const P extends Projection>(projection: P): SelectStart<P>;
  /** `db.insert(todos).values({ title: "Rest" })` */
  insert<T extends AnyTable>(table: T): InsertStart<T>;
  /** `db.update(todos).set({ done: true }).where(eq(todos.id, id))` */
  update<T extends AnyTable>(table: T): UpdateStart<T>;
  /** `db.delete(todos).where(eq(todos.id, id))` */
  delete(table: AnyTable): Filtered;
}

/**
 * Binds the query builder to an engine.
 *
 * @example
 * const db = createDb({ schema, engine });
 * const open = await db.select().from(todos).where(eq(todos.done, false));
 */
export function createDb(binding: { readonly schema: AnySchema; readonly engine: QueryEngine }): Db {
  function select(): SelectStart<undefined>;
  function select<const P extends Projection>(projection: P): SelectStart<P>;
  function select(projection?: Projection): SelectStart<Projection | undefined> {
    return new SelectStart(binding, projection);
  }
  return {
    select,
    insert: (table) => new InsertStart(binding, table),
    update: (table) => new UpdateStart(binding, table),
    delete: (table) => deleteFrom(binding, table),
  };
}
