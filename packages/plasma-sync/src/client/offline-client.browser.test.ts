import { offlineClientSuite } from "./offline-client.suite.ts";

offlineClientSuite("Chromium");
