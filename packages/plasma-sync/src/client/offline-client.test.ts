import "fake-indexeddb/auto";
import { offlineClientSuite } from "./offline-client.suite.ts";

offlineClientSuite("Node and fake-indexeddb");
