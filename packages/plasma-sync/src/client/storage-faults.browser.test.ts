import { storageFaultsSuite } from "./storage-faults.suite.ts";

storageFaultsSuite("Chromium");
