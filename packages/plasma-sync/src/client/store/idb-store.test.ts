import "fake-indexeddb/auto";
import { idbStoreSuite } from "./idb-store.suite.ts";

idbStoreSuite("fake-indexeddb");
