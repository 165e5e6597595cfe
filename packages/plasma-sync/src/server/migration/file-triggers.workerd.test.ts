import { freshD1 } from "../database/d1.fixture.ts";
import { objectExecutor } from "../database/durable-object.fixture.ts";
import { fileTriggersSuite } from "./file-triggers.suite.ts";

fileTriggersSuite("D1", freshD1);
fileTriggersSuite("a Durable Object", async () => objectExecutor());
