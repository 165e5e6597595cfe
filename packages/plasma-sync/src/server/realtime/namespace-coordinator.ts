// Owns: the coordinator of a Worker: one Durable Object per room, reached by its namespace.
// Invariant: who a socket is goes to the object by a call that no request from outside can make; the socket's own request
// carries but a ticket, good once.

import type { Env } from "../../core/lib/env.ts";
import { DEFAULT_ROOM } from "../../core/protocol/realtime.ts";
import { closedSocket } from "../cloudflare/closed-socket.ts";
import { stubOf, type Coordinator, type CoordinatorNamespace } from "./coordinator.ts";

/** The header of the ticket. */
export const TICKET_HEADER = "x-plasma-ticket";

/** The coordinator that an app's option means. */
export const coordinatorOf = (option: CoordinatorNamespace | Coordinator, env: Env): Coordinator =>
  "idFromName" in option ? namespaceCoordinator(option, env) : option;

function namespaceCoordinator(namespace: CoordinatorNamespace, env: Env): Coordinator {
  const defaultRooms = [DEFAULT_ROOM];
  return {
    defaultRooms,
    poke: async ({ rooms, origin }) => {
      const pokes = (rooms ?? defaultRooms).map((room) => stubOf(namespace, room).poke(origin));
      const failed = (await Promise.allSettled(pokes)).find((poke) => poke.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    accept: async ({ identity }) => {
      const stub = stubOf(namespace, identity.room);
      const ticket = env.randomUUID();
      await stub.expect(ticket, identity);
      const headers = { upgrade: "websocket", [TICKET_HEADER]: ticket };
      return stub.fetch(new Request("https://coordinator.invalid/", { headers }));
    },
    refuse: closedSocket,
  };
}

/** Whom `pokeCoordinator` pokes. */
export interface PokeOptions {
  /** Default "global". */
  readonly room?: string;
}

/**
 * Tells all clients of a room that something has changed: for changes that no push made, such as raw SQL or a cron job.
 * They pull, and see what they may see. Guide: docs/guides/realtime.md.
 *
 * @throws what the Durable Object throws when it cannot be reached.
 * @example
 * await env.DB.prepare("UPDATE todos SET done = 1").run();
 * await pokeCoordinator(env.COORDINATOR, { room: "global" });
 */
export async function pokeCoordinator(
  namespace: CoordinatorNamespace,
  { room = DEFAULT_ROOM }: PokeOptions = {},
): Promise<void> {
  await stubOf(namespace, room).poke(null);
}
