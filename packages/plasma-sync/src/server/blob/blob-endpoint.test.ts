import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { fromDirectory } from "../node/from-directory.ts";
import { batchOnly, memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { blobEndpointSuite } from "./blob-endpoint.suite.ts";
import { memoryBlobs } from "./memory-blobs.ts";

const pg = usePostgres();
const roots: string[] = [];
afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true });
});
async function newDirectory() {
  const root = await mkdtemp(join(tmpdir(), "plasma-blobs-"));
  roots.push(root);
  return fromDirectory(root);
}

blobEndpointSuite("node:sqlite and a directory", async () => ({
  executor: memoryDatabase(),
  store: await newDirectory(),
}));
blobEndpointSuite("batches only and memory", async () => ({
  executor: batchOnly(memoryDatabase()),
  store: memoryBlobs(),
}));
blobEndpointSuite("Postgres and memory", async () => ({
  executor: fromPostgres(await pg.open()),
  store: memoryBlobs(),
}));
