import { idbLocalBlobsSuite } from "./idb-local-blobs.suite.ts";

idbLocalBlobsSuite("Chromium");
