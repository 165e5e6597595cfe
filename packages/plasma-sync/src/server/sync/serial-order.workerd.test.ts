import { env } from "cloudflare:workers";
import { freshD1 } from "../database/d1.fixture.ts";
import { objectExecutor } from "../database/durable-object.fixture.ts";
import { fromD1 } from "../database/from-d1.ts";
import { serialOrderSuite } from "./serial-order.suite.ts";

serialOrderSuite("D1", async () => [await freshD1(), fromD1(env.DB)], { runs: 10 });
serialOrderSuite("a Durable Object", async () => [objectExecutor()], { runs: 10 });
