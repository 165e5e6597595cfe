// The Worker in which *.workerd.test.ts run: it has no routes, only classes whose objects tests enter.
import { DurableObject } from "cloudflare:workers";

/** An object with nothing but its storage. */
export class TestObject extends DurableObject {}

export default { fetch: (): Response => new Response("Tests call no route.", { status: 404 }) };
