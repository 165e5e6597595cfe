import "fake-indexeddb/auto";
import { foldsSuite } from "./folds.suite.ts";
import { idbStoreSuite } from "./idb-store.suite.ts";
import { oldFormatsSuite } from "./old-formats.suite.ts";
import { storeVersionsSuite } from "./store-versions.suite.ts";

idbStoreSuite("fake-indexeddb");
storeVersionsSuite("fake-indexeddb");
oldFormatsSuite("fake-indexeddb");
foldsSuite("fake-indexeddb");
