// The code of docs/guides/files-on-the-server.md that runs on Node, region by region. The tests compile and run it.

import type { DatabaseSync } from "node:sqlite";
import { mutators, schema, userOf } from "./files-worker-examples.ts";

// #region node
import { collectBlobs, fromNodeSqlite } from "plasma-sync/server";
import { fromDirectory, serve } from "plasma-sync/server/node";

export async function start(db: DatabaseSync, directory: string, port: number) {
  const executor = fromNodeSqlite(db);
  const blobs = fromDirectory(directory);
  const server = await serve({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    auth: userOf,
    blobs: { default: blobs },
    maxBlobBytes: 100_000_000,
    port,
  });
  const collect = () => collectBlobs({ executor, blobs });
  const timer = setInterval(() => void collect().catch(console.error), 86_400_000);
  const close = async () => {
    clearInterval(timer);
    await server.close();
  };
  return { port: server.port, collect, close };
}
// #endregion
