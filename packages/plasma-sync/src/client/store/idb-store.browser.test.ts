import { idbStoreSuite } from "./idb-store.suite.ts";

idbStoreSuite("Chromium");
