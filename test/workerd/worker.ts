// The Worker in which *.workerd.test.ts run: it has no routes, only classes whose objects tests enter.
import { DurableObject } from "cloudflare:workers";
import * as photos from "../../docs/guides/files-worker-examples.ts";
import { fromR2, type R2BucketLike } from "../../packages/plasma-sync/src/server/blob/from-r2.ts";
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

/** The photos of the files guide, whose bytes lie in R2. */
export class PhotoRoom extends PlasmaObject<{ readonly FILES: R2BucketLike }> {
  options(env: { readonly FILES: R2BucketLike }): PlasmaObjectOptions<Ctx> {
    return {
      schema: photos.schema,
      mutators: photos.mutators,
      schemaVersion: "1",
      auth: authOf,
      blobs: { default: fromR2(env.FILES) },
    };
  }
}

export default { fetch: (): Response => new Response("Tests call no route.", { status: 404 }) };
