// Owns: who is in the room, as the tabs of a run see it: each opens the real presence of the client on its simulated socket.
// Oracle: when connections have healed and dead ones have been found out, each tab sees exactly the tabs that live, as they last
// showed themselves.

import { PresenceRoom } from "../../packages/plasma-sync/src/client/presence/presence-room.ts";
import * as limits from "../../packages/plasma-sync/src/core/limits.ts";
import type { PresenceEntry } from "../../packages/plasma-sync/src/core/protocol/realtime.ts";
import type { SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import type { RunScope } from "./run-scope.ts";
import { ROOM } from "./watch-sockets.ts";

/** Until the server has found out that a member's connection is dead, and everybody has been told. */
const CONVERGE_MS = limits.socketSilenceMsMax + 2 * limits.socketSweepMs + limits.presenceGraceMs + 10_000;

interface Member {
  readonly tab: SimTab;
  readonly room: PresenceRoom;
  shows: unknown;
}

export class PresenceWatch {
  readonly #run: RunScope;
  readonly #members = new Map<SimTab, Member>();
  #shown = 0;

  constructor(run: RunScope) {
    this.#run = run;
  }

  /** The tab enters the room. */
  enter(tab: SimTab): void {
    const { env, WebSocketImpl, device } = tab;
    const room = new PresenceRoom({
      address: { url: "ws://plasma.test/sync/coordinator", room: ROOM, token: undefined },
      who: { clientID: tab.name, clientGroupID: device.user },
      backoff: { initialDelayMs: 100, maxDelayMs: 3000 },
      env,
      WebSocketImpl,
    });
    this.#members.set(tab, { tab, room, shows: undefined });
    this.show(tab);
    room.subscribe(() => this.#run.history.count("presence: changed"));
  }

  /** The tab shows something else of itself. */
  show(tab: SimTab): void {
    const member = this.#members.get(tab);
    if (member === undefined || tab.life.isFrozen || tab.life.isDead) return;
    member.shows = { user: tab.device.user, n: (this.#shown += 1) };
    member.room.update(member.shows);
  }

  leave(tab: SimTab): void {
    this.#members.get(tab)?.room.close();
    this.#members.delete(tab);
  }

  /** Lets time pass, then asks everybody who is there. */
  async check(): Promise<void> {
    const { world, history, openTabs } = this.#run;
    if (this.#members.size === 0) return;
    // Nothing else happens meanwhile.
    for (const { client } of openTabs) client.stop();
    await world.clock.advance(CONVERGE_MS);
    const living = [...this.#members.values()].filter(({ tab }) => !tab.life.isDead);
    const expected = textOf(living.map(({ tab, shows }) => ({ clientID: tab.name, userInfo: shows })));
    for (const { tab, room } of living) {
      const seen = textOf(room.state.all);
      if (seen !== expected) history.violate(`${tab.name} sees in the room ${seen}, who is there is ${expected}`);
      if (room.state.connecting) history.violate(`${tab.name} is not connected to the room`);
    }
    history.count("presence: compared", living.length);
  }
}

const textOf = (entries: readonly PresenceEntry[]): string =>
  entries
    .map(({ clientID, userInfo }) => `${clientID} ${JSON.stringify(userInfo)}`)
    .sort()
    .join(", ");
