// Owns: `npm run todo:large`: the todo app with one list of 100,000 todos, in a database of its own.
//   npm run todo:large                     100,000 todos
//   npm run todo:large -- --todos 20000    another number, in another database
//   npm run todo:large -- --port 5190      another port
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createServer } from "vite";

const { values } = parseArgs({
  options: { todos: { type: "string", default: "100000" }, port: { type: "string", default: "5174" } },
});
process.env["VITE_TODO_LARGE"] = values.todos;
process.env["PLASMA_STATE_DIR"] ??= join(import.meta.dirname, ".wrangler", `large-${values.todos}`);

const server = await createServer({
  root: import.meta.dirname,
  // The browser keeps its replica by origin, and the port is part of it.
  server: { port: Number(values.port), strictPort: true },
});
await server.listen();
const url = server.resolvedUrls?.local[0] ?? "";
console.log(`  Filling the server with ${values.todos} todos, unless it has them …`);
// The first request of a new database seeds it: better here than under the eyes of the first page.
await fetch(`${url}sync/`);
console.log(
  `  Ready: open ${url}#/list/seed-large, and once more, or reload: the second time the list is on the device.`,
);
server.bindCLIShortcuts({ print: true });
