import { exportSuite } from "./export-local-data.suite.ts";

exportSuite("Chromium");
