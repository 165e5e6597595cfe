// Owns: the ladder's views on Plasma: the query runtime of the client, without storage and sync.

import { createQueryRuntime } from "../../packages/plasma-sync/src/client/ivm/create-query-runtime.ts";
import {
  desc,
  eq,
  select,
  type ResultRow,
  type Row,
  type SelectNode,
} from "../../packages/plasma-sync/src/core/index.ts";
import type { Engine } from "./engine.ts";
import { detail, lacksNested, withCount, withLatest } from "./plasma-nested.ts";
import { issues, schema, users } from "./plasma-schema.ts";
import { PAGE, type ViewName } from "./views.ts";

const open = () => select().from(issues).where(eq(issues.open, true)).orderBy(desc(issues.createdAt)).limit(PAGE);

/** Built at each opening, as an app does: making the query is part of the sample. */
const queries: { readonly [name in ViewName]: () => SelectNode } = {
  newest: () => open().ast,
  author: () =>
    select()
      .from(issues)
      .innerJoin(users, eq(users.id, issues.authorId))
      .where(eq(issues.open, true))
      .orderBy(desc(issues.createdAt))
      .limit(PAGE).ast,
  count: withCount,
  latest: withLatest,
  detail,
  page2: () => open().offset(PAGE).ast,
};

/** Joined rows and counts as `answerOf` has them. */
const shapes: { readonly [name in ViewName]?: (row: never) => object } = {
  author: (row: { readonly issues: object; readonly users: object }) => ({ ...row.issues, author: row.users }),
  count: (row: { readonly count: { readonly n: number } }) => ({ ...row, count: row.count.n }),
};

export const plasma: Engine = {
  name: "Plasma",
  version: "",
  lacks: (view) => (view === "count" || view === "latest" || view === "detail" ? lacksNested() : null),
  start(data) {
    const runtime = createQueryRuntime({ schema });
    for (const [name, rows] of Object.entries(data)) runtime.fill(name, rows as readonly Row[]);
    runtime.setStatus("complete");
    return {
      open(view) {
        let rows: readonly ResultRow[] = [];
        const close = runtime.live(queries[view]()).subscribe((now) => (rows = now));
        const shape = shapes[view] ?? ((row: object) => row);
        return { rows: () => rows.map((row) => shape(row as never)), close };
      },
      add: (table, row) => runtime.commit([{ table, id: row.id, before: null, after: row as unknown as Row }]),
      remove: (table, row) => runtime.commit([{ table, id: row.id, before: row as unknown as Row, after: null }]),
      close: () => undefined,
    };
  },
};
