import { freshD1 } from "../database/d1.fixture.ts";
import { collectBlobsSuite } from "./collect-blobs.suite.ts";

collectBlobsSuite("D1", freshD1);
