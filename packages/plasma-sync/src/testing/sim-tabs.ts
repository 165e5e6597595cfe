// Owns: what the tabs of one simulated browser share besides its disk: broadcast channels and locks.
// Invariants:
//   1. A message reaches every other living tab, in the order in which its sender sent, after a while; a frozen tab gets it when
//      it goes on.
//   2. A lock has one holder; the next in line gets it when that one lets go or dies, and never one that has withdrawn. Who
//      steals it has it at once, and the holder hears of that after a while; a frozen one when it goes on.

import type { ClientIdentity } from "../client/tabs/client-identity.ts";
import type { LockOptions, TabChannel, TabLinks, TabMessage } from "../client/tabs/tab-links.ts";
import type { Env } from "../core/lib/env.ts";
import type { SimClock, SimLife } from "./sim-clock.ts";
import type { SimRandom } from "./sim-random.ts";

interface Listener {
  readonly life: SimLife;
  readonly onMessage: (message: TabMessage) => void;
  /** When the last message to it arrives: later ones arrive later. */
  busyUntil: number;
}

interface LockRequest {
  readonly life: SimLife;
  readonly onHeld: () => void;
  readonly onLost: () => void;
  isHeld: boolean;
}

/** Milliseconds that a message or a granted lock takes. */
const HOP_MS_MAX = 3;

export class SimTabs {
  readonly #clock: SimClock;
  readonly #random: SimRandom;
  readonly #note: (what: string, who: string) => void;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #locks = new Map<string, LockRequest[]>();

  constructor(clock: SimClock, random: SimRandom, note: (what: string, who: string) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#note = note;
  }

  /** The links of one tab. */
  links(life: SimLife): TabLinks {
    return {
      kind: "browser",
      openChannel: (name, onMessage) => this.#openChannel(name, life, onMessage),
      requestLock: (name, onHeld, options = {}) => this.#requestFor(life, name, onHeld, options),
      isLocked: async (name) => {
        await this.#clock.sleep(this.#random.int(0, HOP_MS_MAX), life);
        return (this.#locks.get(name) ?? []).some(({ isHeld }) => isHeld);
      },
    };
  }

  /** Lets go of what a dead tab held. */
  buried(life: SimLife): void {
    for (const listeners of this.#listeners.values())
      for (const listener of listeners) if (listener.life === life) listeners.delete(listener);
    for (const [name, requests] of this.#locks) {
      this.#locks.set(
        name,
        requests.filter((request) => request.life !== life),
      );
      this.#grant(name);
    }
  }

  #openChannel(name: string, life: SimLife, onMessage: (message: TabMessage) => void): TabChannel {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const own: Listener = { life, onMessage, busyUntil: 0 };
    listeners.add(own);
    return {
      post: (message) => {
        // As a structured clone: nobody sees a later change.
        const copy = structuredClone(message);
        for (const listener of listeners) if (listener !== own) this.#deliver(listeners, listener, copy);
      },
      close: () => void listeners.delete(own),
    };
  }

  #deliver(listeners: ReadonlySet<Listener>, listener: Listener, message: TabMessage): void {
    listener.busyUntil = Math.max(listener.busyUntil, this.#clock.now) + this.#random.int(0, HOP_MS_MAX);
    this.#clock.after(listener.busyUntil - this.#clock.now, listener.life, () => {
      if (listeners.has(listener)) listener.onMessage(message);
    });
  }

  #requestFor(life: SimLife, name: string, onHeld: () => void, { steal = false, onLost }: LockOptions): () => void {
    const [holder, ...waiting] = this.#locks.get(name) ?? [];
    if (steal && holder?.isHeld === true) {
      this.#note(`lead: taken from a ${holder.life.isFrozen ? "frozen tab" : "tab that lives"}`, holder.life.name);
      this.#clock.after(this.#random.int(0, HOP_MS_MAX), holder.life, holder.onLost);
      this.#locks.set(name, waiting);
    }
    const request: LockRequest = { life, onHeld, onLost: () => onLost?.(), isHeld: false };
    return steal ? this.#request(name, request, "first") : this.#request(name, request, "last");
  }

  #request(name: string, request: LockRequest, place: "first" | "last"): () => void {
    const requests = this.#locks.get(name) ?? [];
    this.#locks.set(name, place === "first" ? [request, ...requests] : [...requests, request]);
    this.#grant(name);
    return () => {
      const left = this.#locks.get(name) ?? [];
      this.#locks.set(
        name,
        left.filter((other) => other !== request),
      );
      this.#grant(name);
    };
  }

  #grant(name: string): void {
    const [first] = this.#locks.get(name) ?? [];
    if (first === undefined || first.isHeld) return;
    first.isHeld = true;
    this.#clock.after(this.#random.int(0, HOP_MS_MAX), first.life, () => {
      if (this.#locks.get(name)?.[0] === first) first.onHeld();
    });
  }
}

/** The ids that one tab's sessionStorage keeps over reloads, taken out while in use. */
export class SimSessionStorage {
  readonly #kept = new Map<string, string>();

  take(database: string, env: Env): ClientIdentity {
    const kept = this.#kept.get(database);
    this.#kept.delete(database);
    let current: string | null = kept ?? env.randomUUID();
    return {
      clientID: current,
      reused: kept !== undefined,
      replace: (next) => {
        current = next;
      },
      release: () => {
        if (current !== null) this.#kept.set(database, current);
        current = null;
      },
    };
  }
}
