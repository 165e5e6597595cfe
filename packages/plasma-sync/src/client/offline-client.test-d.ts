// Only a client that is offline for good may do without an endpoint.

import { defineMutators } from "../core/mutation/mutator.ts";
import { id } from "../core/schema/column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import { createPlasmaClient } from "./client.ts";

const schema = defineSchema({ notes: table("notes", { id: id() }) });
const mutators = defineMutators<typeof schema, null>()({});
const app = { schema, mutators, dbName: "d", schemaVersion: "1", clientGroupID: "g", getContext: () => null };
declare const hasServer: boolean;

createPlasmaClient({ ...app, offline: true });
createPlasmaClient({ ...app, offline: true, endpoint: "/sync" });
createPlasmaClient({ ...app, offline: !hasServer, endpoint: "/sync" });
createPlasmaClient({ ...app, endpoint: "/sync" });

// @ts-expect-error -- it syncs, so it needs to know where.
createPlasmaClient({ ...app, offline: false });
// @ts-expect-error -- it may sync.
createPlasmaClient({ ...app, offline: !hasServer });
// @ts-expect-error -- as without offline.
createPlasmaClient(app);
