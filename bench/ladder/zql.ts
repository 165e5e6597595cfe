// Owns: the ladder's views on ZQL, the query engine of Zero: its builder, memory sources and ArrayView, without Zero's sync
// around them. The package exports none of them, so they are imported by file.
// Page 2 starts after the last row of page 1 (ZQL has no offset). There are no aggregates.

import { createSchema } from "../node_modules/@rocicorp/zero/out/zero-schema/src/builder/schema-builder.js";
import { relationships } from "../node_modules/@rocicorp/zero/out/zero-schema/src/builder/relationship-builder.js";
import {
  boolean,
  number,
  string,
  table,
} from "../node_modules/@rocicorp/zero/out/zero-schema/src/builder/table-builder.js";
import { MemorySource } from "../node_modules/@rocicorp/zero/out/zql/src/ivm/memory-source.js";
import { makeSourceChangeAdd, makeSourceChangeRemove } from "../node_modules/@rocicorp/zero/out/zql/src/ivm/source.js";
import { createBuilder } from "../node_modules/@rocicorp/zero/out/zql/src/query/create-builder.js";
import { ZqlDelegate } from "../zql-delegate.ts";
import { DETAIL_ID, type Issue } from "./dataset.ts";
import type { Engine } from "./engine.ts";
import { cursorOf, LATEST, PAGE, type ViewName } from "./views.ts";

const users = table("users").columns({ id: string(), name: string() }).primaryKey("id");
const issues = table("issues")
  .columns({ id: string(), title: string(), open: boolean(), createdAt: number(), authorId: string() })
  .primaryKey("id");
const comments = table("comments")
  .columns({ id: string(), issueId: string(), text: string(), at: number() })
  .primaryKey("id");
const schema = createSchema({
  tables: [users, issues, comments],
  relationships: [
    relationships(issues, ({ one, many }) => ({
      author: one({ sourceField: ["authorId"], destField: ["id"], destSchema: users }),
      comments: many({ sourceField: ["id"], destField: ["issueId"], destSchema: comments }),
    })),
  ],
});
const builder = createBuilder(schema);

export const zql: Engine = {
  name: "ZQL",
  version: "1.9.0",
  lacks: (view) => (view === "count" ? "no aggregates" : null),
  start(data) {
    const sources = new Map(
      Object.values(schema.tables).map((meta) => [
        meta.name as string,
        new MemorySource(meta.name, meta.columns, meta.primaryKey),
      ]),
    );
    const delegate = new ZqlDelegate(sources);
    for (const [name, rows] of Object.entries(data))
      for (const row of rows as readonly object[]) delegate.push(name, makeSourceChangeAdd(row as never));
    const cursor = cursorOf(data);
    return {
      open(view) {
        let rows: readonly object[] = [];
        const close = delegate.show(queryOf(view, cursor), (now) => (rows = now));
        return { rows: () => rows, close };
      },
      add: (name, row) => delegate.push(name, makeSourceChangeAdd(row as never)),
      remove: (name, row) => delegate.push(name, makeSourceChangeRemove(row as never)),
      close: () => undefined,
    };
  },
};

function queryOf(view: ViewName, cursor: Issue): unknown {
  const open = builder.issues.where("open", true).orderBy("createdAt", "desc");
  switch (view) {
    case "newest":
      return open.limit(PAGE);
    case "author":
      return open.limit(PAGE).related("author");
    case "latest":
      return open.limit(PAGE).related("comments", (q) => q.orderBy("at", "desc").limit(LATEST));
    case "detail":
      return builder.issues.where("id", DETAIL_ID).related("comments", (q) => q.orderBy("at", "desc"));
    case "page2":
      return open.start(cursor).limit(PAGE);
    case "count":
      throw new Error("ZQL has no aggregates");
  }
}
