import "fake-indexeddb/auto";
import { tabVersionsSuite } from "./tab-versions.suite.ts";

tabVersionsSuite("Node and fake-indexeddb");
