import { freshD1 } from "../database/d1.fixture.ts";
import { objectExecutor } from "../database/durable-object.fixture.ts";
import { fileChecksSuite } from "./file-checks.suite.ts";

fileChecksSuite("D1", freshD1);
fileChecksSuite("a Durable Object", async () => objectExecutor());
