// Owns: pages without an app that hold the library's sources, for tests that need several real tabs of one origin: reloads,
// frames, copies of a tab, the back/forward cache.
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { must } from "../../packages/plasma-sync/src/core/lib/assert.ts";

export interface SourcePages {
  /** A page; with any query it is another one. */
  readonly url: string;
  close(): Promise<void>;
}

/** `script`: what the page runs, of this folder. */
export async function serveSourcePages(script = "tab-page.ts"): Promise<SourcePages> {
  const server = await createServer({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    configFile: false,
    appType: "custom",
    logLevel: "error",
    // A dependency that is found while a page runs, or a file that changes, would load the page anew.
    optimizeDeps: { noDiscovery: true, include: [] },
    server: { host: "127.0.0.1", port: 0, watch: null, hmr: false, ws: false },
  });
  server.middlewares.use("/page", (_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><title>page</title><script type="module" src="/test/e2e/${script}"></script>`);
  });
  await server.listen();
  const { port } = must(server.httpServer, "a server in listening mode has one").address() as { port: number };
  return { url: `http://127.0.0.1:${port}/page`, close: () => server.close() };
}
