import "fake-indexeddb/auto";
import { mutateFilesSuite } from "./mutate-files.suite.ts";

mutateFilesSuite("Node and fake-indexeddb");
