import { foldsSuite } from "./folds.suite.ts";
import { idbStoreSuite } from "./idb-store.suite.ts";
import { oldFormatsSuite } from "./old-formats.suite.ts";
import { storeVersionsSuite } from "./store-versions.suite.ts";

idbStoreSuite("Chromium");
storeVersionsSuite("Chromium");
oldFormatsSuite("Chromium");
foldsSuite("Chromium");
