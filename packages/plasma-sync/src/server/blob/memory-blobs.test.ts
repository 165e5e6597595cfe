import { blobStoreSuite } from "./blob-store.suite.ts";
import { memoryBlobs } from "./memory-blobs.ts";

blobStoreSuite("memory", async () => ({ store: memoryBlobs() }));
