// Owns: `npm run notes`: the page, and with `--sync` a server for it.
//   npm run notes                     the page alone: everything stays in the browser
//   npm run notes -- --sync           the same page on the same port, and a server: switch sync on in the app
//   npm run notes -- --port 5180      another port
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createServer, type Plugin } from "vite";
import { startSyncServer } from "./server.ts";

const { values } = parseArgs({
  options: { sync: { type: "boolean", default: false }, port: { type: "string", default: "5180" } },
});
// Tests have a folder of their own.
const folder = process.env["NOTES_DATA_DIR"] ?? join(import.meta.dirname, ".data");
const sync = values.sync ? await startSyncServer({ folder, port: 0 }) : null;

const page = await createServer({
  root: import.meta.dirname,
  plugins: sync === null ? [noSyncServer()] : [],
  server: {
    port: Number(values.port),
    // The browser keeps notes by origin, and the port is part of it.
    strictPort: true,
    ...(sync === null ? {} : { proxy: { "/sync": { target: `http://127.0.0.1:${sync.port}`, ws: true } } }),
  },
});
await page.listen();
page.printUrls();
console.log(
  sync === null
    ? "  No server: notes stay in the browser. Later: npm run notes -- --sync"
    : `  Sync server on port ${sync.port}, data in ${folder}. Switch sync on in the app.`,
);

/** Says so to a page that has sync switched on, instead of answering with the page itself. */
function noSyncServer(): Plugin {
  return {
    name: "no-sync-server",
    configureServer(server) {
      server.middlewares.use("/sync", (_request, response) => {
        response.statusCode = 503;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ error: "no sync server: npm run notes -- --sync", code: "server/retry" }));
      });
    },
  };
}
