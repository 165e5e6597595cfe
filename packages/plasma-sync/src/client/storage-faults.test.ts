import "fake-indexeddb/auto";
import { storageFaultsSuite } from "./storage-faults.suite.ts";

storageFaultsSuite("Node and fake-indexeddb");
