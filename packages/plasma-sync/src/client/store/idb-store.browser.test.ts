import { idbStoreSuite } from "./idb-store.suite.ts";
import { storeVersionsSuite } from "./store-versions.suite.ts";

idbStoreSuite("Chromium");
storeVersionsSuite("Chromium");
