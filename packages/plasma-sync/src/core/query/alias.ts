// Owns: `alias`, a second name for a table inside one query.

import { checkName } from "../schema/check-table.ts";
import { Column } from "../schema/column.ts";
import {
  metaOf,
  TABLE_META,
  type AnyTable,
  type ColumnRecord,
  type NameOf,
  type Table,
  type TableMeta,
} from "../schema/table.ts";

type Renamed<T extends AnyTable, Name extends string> =
  T extends Table<NameOf<T>, infer C extends ColumnRecord> ? Table<Name, C> : never;

/**
 * The same table under another name, for joining it twice.
 *
 * @throws PlasmaError `schema/name` for a name that cannot be used.
 * @example
 * const author = alias(users, "author");
 * db.select().from(issues).innerJoin(author, eq(issues.authorId, author.id));
 */
export function alias<T extends AnyTable, const Name extends string>(table: T, name: Name): Renamed<T, Name> {
  checkName("alias", name);
  const meta = metaOf(table);
  const columns = meta.columns.map((column) => new Column({ ...column.def, table: name }));
  const columnsByName = new Map(columns.map((column) => [column.def.name, column]));
  const renamed: TableMeta = { ...meta, name, columns, columnsByName };
  return Object.freeze(
    Object.assign(Object.fromEntries(columnsByName), { [TABLE_META]: renamed }),
  ) as unknown as Renamed<T, Name>;
}
