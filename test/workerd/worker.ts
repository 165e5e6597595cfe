// The Worker in which *.workerd.test.ts run: it has no routes, only classes whose objects tests enter.
import { DurableObject } from "cloudflare:workers";
import {
  PlasmaObject,
  type PlasmaObjectOptions,
} from "../../packages/plasma-sync/src/server/cloudflare/plasma-object.ts";
import { authOf, mutators, schema, type Ctx } from "../../packages/plasma-sync/src/server/sync/sync-server.fixture.ts";

export { SyncCoordinator } from "../../packages/plasma-sync/src/server/cloudflare/sync-coordinator.ts";
export { Team } from "../../docs/guides/cloudflare-examples.ts";

/** An object with nothing but its storage. */
export class TestObject extends DurableObject {}

/** The notes of sync-server.fixture.ts. Nobody may listen to the room "closed". */
export class NotesRoom extends PlasmaObject {
  options(): PlasmaObjectOptions<Ctx> {
    return { schema, mutators, schemaVersion: "1", auth: authOf, authorizeRoom: ({ room }) => room !== "closed" };
  }
}

export default { fetch: (): Response => new Response("Tests call no route.", { status: 404 }) };
