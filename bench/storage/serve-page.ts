// Owns: servePage, a page that runs one script of this folder, isolated so that its clock steps by 0.005 ms.

import { fileURLToPath } from "node:url";
import { createServer } from "vite";

export interface ServedPage {
  readonly url: string;
  close(): Promise<void>;
}

export async function servePage(script: string): Promise<ServedPage> {
  const server = await createServer({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    configFile: false,
    appType: "custom",
    logLevel: "error",
    optimizeDeps: { noDiscovery: true, include: [] },
    server: {
      host: "127.0.0.1",
      port: 0,
      watch: null,
      hmr: false,
      ws: false,
      headers: { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" },
    },
  });
  server.middlewares.use("/page", (_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><title>bench</title><script type="module" src="/bench/storage/${script}"></script>`);
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (typeof address !== "object" || address === null) throw new Error("the server does not listen");
  return { url: `http://127.0.0.1:${address.port}/page`, close: () => server.close() };
}
