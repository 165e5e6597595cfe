import "fake-indexeddb/auto";
import { exportSuite } from "./export-local-data.suite.ts";

exportSuite("fake-indexeddb");
