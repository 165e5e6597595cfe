import { commitNewsSuite } from "./commit-news.suite.ts";

commitNewsSuite("Chromium");
