// Rules that look into other tables, and conflicts, in the real Workers runtime: on D1 and on the storage of a Durable Object.

import { freshD1 } from "../database/d1.fixture.ts";
import { objectExecutor } from "../database/durable-object.fixture.ts";
import { conflictsSuite } from "./conflicts.suite.ts";
import { rulesSuite } from "./rules.suite.ts";

rulesSuite("D1", freshD1, { runs: 6 });
rulesSuite("a Durable Object", async () => objectExecutor(), { runs: 6 });
conflictsSuite("D1", freshD1);
conflictsSuite("a Durable Object", async () => objectExecutor());
