// Owns: one room of the hub: who listens there, and the ticks in which they are told of presence.

import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { Listener } from "./listener.ts";
import { RoomPresence } from "./room-presence.ts";

/** What all listeners of a room are sent in one tick. */
const bytesPerTick = (limits.presenceBytesPerSecondMax * limits.presenceTickMs) / 1000;

export class Room {
  readonly listeners = new Set<Listener>();
  readonly presence = new RoomPresence();
  readonly #env: Env;
  readonly #mayHear: (listener: Listener) => boolean;
  readonly #gone = new Set<TimerHandle>();
  #tick: TimerHandle | null = null;
  /** When the last delta went out, and for how long none follows it. */
  #told = { at: 0, quietMs: 0 };

  constructor(env: Env, mayHear: (listener: Listener) => boolean) {
    this.#env = env;
    this.#mayHear = mayHear;
  }

  get isEmpty(): boolean {
    return this.listeners.size === 0 && this.#gone.size === 0;
  }

  add(listener: Listener): void {
    this.listeners.add(listener);
    if (listener.record.userInfo !== null) this.show(listener);
  }

  /** `onGone` is called when nothing of it is left here: at once, or when its member did not come back. */
  remove(listener: Listener, isForGood: boolean, onGone: () => void): void {
    this.listeners.delete(listener);
    if (isForGood || listener.record.userInfo === null) {
      this.hide(listener);
      onGone();
      return;
    }
    const timer = this.#env.setTimeout(() => {
      this.#gone.delete(timer);
      this.hide(listener);
      onGone();
    }, limits.presenceGraceMs);
    this.#gone.add(timer);
  }

  /** Lets others know what its record says of it. */
  show({ socket, record: { clientID, clientGroupID, userInfo } }: Listener): void {
    if (clientID === null || userInfo === null) return;
    this.presence.show(socket, { clientID, clientGroupID }, userInfo);
    this.#planTick();
  }

  hide({ socket, record: { clientID } }: Listener): void {
    if (clientID === null) return;
    this.presence.hide(socket, clientID);
    this.#planTick();
  }

  /** The hub woke up, and all of the room are here. */
  wake(): void {
    this.presence.forgetNews();
    this.#planTick();
  }

  /** Tells one of all members. */
  tellAll(listener: Listener): void {
    if (listener.record.wantsPresence) listener.send(this.presence.list());
  }

  stop(): void {
    if (this.#tick !== null) this.#env.clearTimeout(this.#tick);
    for (const timer of this.#gone) this.#env.clearTimeout(timer);
  }

  #planTick(): void {
    if (this.#tick !== null || !this.presence.hasNews) return;
    const { at, quietMs } = this.#told;
    const passedMs = this.#env.now() - at;
    // A clock that was set back makes nobody wait for it.
    const delayMs = passedMs < 0 ? quietMs : Math.max(0, quietMs - passedMs);
    this.#tick = this.#env.setTimeout(() => {
      this.#tick = null;
      this.#tellNews();
    }, delayMs);
  }

  #tellNews(): void {
    const delta = this.presence.takeDelta(bytesPerTick / Math.max(1, this.listeners.size));
    if (delta === null) return;
    let sentBytes = 0;
    for (const listener of this.listeners) {
      const { saidHello, wantsPresence } = listener.record;
      if (!saidHello || !wantsPresence || !this.#mayHear(listener)) continue;
      if (listener.send(delta)) sentBytes += delta.length;
    }
    const spreadMs = (sentBytes / limits.presenceBytesPerSecondMax) * 1000;
    this.#told = { at: this.#env.now(), quietMs: Math.max(limits.presenceTickMs, spreadMs) };
    this.#planTick();
  }
}
