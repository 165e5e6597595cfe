import { tabVersionsSuite } from "./tab-versions.suite.ts";

tabVersionsSuite("Chromium");
