import "fake-indexeddb/auto";
import { idbLocalBlobsSuite } from "./idb-local-blobs.suite.ts";

idbLocalBlobsSuite("fake-indexeddb");
