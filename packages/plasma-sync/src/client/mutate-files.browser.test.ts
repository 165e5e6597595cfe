import { mutateFilesSuite } from "./mutate-files.suite.ts";

mutateFilesSuite("Chromium");
