// The server of the socket measurements on Node, as a process of its own. Tells its parent the port.

import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "plasma-sync/server";
import { serve } from "plasma-sync/server/node";
import { app } from "./app.ts";

const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
const { port } = await serve({ ...app, executor, basePath: "/node/sync", hostname: "127.0.0.1", port: 0 });
process.send?.({ port });
