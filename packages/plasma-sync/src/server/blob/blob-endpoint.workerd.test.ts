import { env } from "cloudflare:workers";
import { freshD1 } from "../database/d1.fixture.ts";
import { blobEndpointSuite } from "./blob-endpoint.suite.ts";
import { fromR2 } from "./from-r2.ts";

blobEndpointSuite("D1 and R2", async () => ({ executor: await freshD1(), store: fromR2(env.FILES) }));
