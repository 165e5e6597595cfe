// Owns: the ladder's views on Rindle: its engine in WebAssembly behind the client's store, as an app uses it locally.
// Page 2 starts after the last row of page 1 (Rindle has no offset).

import { boolean, createSchema, createWasmStore, number, string, table, type ArrayView } from "@rindle/wasm";
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
const schema = createSchema({ tables: [users, issues, comments] });
const createStore = () => createWasmStore(schema);
type Store = Awaited<ReturnType<typeof createStore>>;

const ofIssue = { parent: ["id" as const], child: ["issueId" as const] };

export const rindle: Engine = {
  name: "Rindle",
  version: "0.9.0",
  lacks: () => null,
  async start(data) {
    const store = await createStore();
    await store.write((tx) => {
      for (const [name, rows] of Object.entries(data))
        for (const row of rows as readonly object[]) tx.add(name as "users", row as never);
    });
    const cursor = cursorOf(data);
    return {
      open(view) {
        let rows: readonly object[] = [];
        const opened = openView(store, view, cursor);
        opened.subscribe((now) => (rows = now));
        rows = opened.data;
        return { rows: () => rows.map((row) => shapeOf(row, view)), close: () => opened.destroy() };
      },
      add: (name, row) => void store.write((tx) => tx.add(name as "users", row as never)),
      remove: (name, row) => void store.write((tx) => tx.remove(name as "users", row as never)),
      close: () => undefined,
    };
  },
};

function openView({ query }: Store, view: ViewName, cursor: Issue): ArrayView<object> {
  const open = query.issues.where.open(true).orderBy("createdAt", "desc");
  switch (view) {
    case "newest":
      return open.limit(PAGE).materialize();
    case "author":
      return open
        .limit(PAGE)
        .sub("author", users, { parent: ["authorId"], child: ["id"] })
        .materialize();
    case "count":
      return open.limit(PAGE).countAs("count", comments, ofIssue).materialize();
    case "latest":
      return open
        .limit(PAGE)
        .sub("comments", comments, ofIssue, (q) => q.orderBy("at", "desc").limit(LATEST))
        .materialize();
    case "detail":
      return query.issues.where
        .id(DETAIL_ID)
        .sub("comments", comments, ofIssue, (q) => q.orderBy("at", "desc"))
        .materialize();
    case "page2":
      return open.start(cursor, { exclusive: true }).limit(PAGE).materialize();
  }
}

/** The author as an object, as `answerOf` has it. */
function shapeOf(row: object, view: ViewName): object {
  if (view !== "author") return row;
  const { author, ...issue } = row as { readonly author: readonly object[] };
  return { ...issue, author: author[0] };
}
