// The simulated store of blobs owes what every one owes.

import { blobStoreSuite } from "../server/blob/blob-store.suite.ts";
import { SimBlobStore } from "./sim-blob-store.ts";

blobStoreSuite("simulated", async () => ({ store: new SimBlobStore().behind(async () => undefined) }));
