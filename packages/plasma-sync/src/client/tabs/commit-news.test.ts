import "fake-indexeddb/auto";
import { commitNewsSuite } from "./commit-news.suite.ts";

commitNewsSuite("Node and fake-indexeddb");
