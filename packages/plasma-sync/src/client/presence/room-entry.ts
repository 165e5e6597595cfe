// Owns: RoomEntry: a room that is entered, left and entered again, as a component comes and goes, by code that loads with the first.
// Invariant: before that code is there, nobody is in the room, and what the tab shows is kept for it.

import { systemEnv } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { Presence, PresenceOptions } from "./presence.ts";
import { NOBODY, type PresenceState } from "./presence-state.ts";

export class RoomEntry {
  #presence: Presence | null = null;
  #said: { readonly userInfo: unknown } | null = null;
  readonly #listeners = new Set<() => void>();

  readonly get = (): PresenceState => this.#presence?.get() ?? NOBODY;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly update = (userInfo: unknown): void => {
    this.#presence?.update(userInfo);
    this.#said = { userInfo };
  };

  /** Returns how to leave. */
  enter(options: PresenceOptions): () => void {
    let isOver = false;
    const load = () => {
      if (!isOver)
        import("./presence.ts").then(
          ({ createPresence }) => void (isOver || this.#hold(createPresence(options))),
          // Offline, or the app was deployed anew.
          () => systemEnv.setTimeout(load, limits.socketLoadRetryMs),
        );
    };
    load();
    return () => {
      isOver = true;
      this.#presence?.close();
      this.#hold(null);
    };
  }

  #hold(presence: Presence | null): void {
    this.#presence = presence;
    presence?.subscribe(() => this.#tell());
    if (presence !== null && this.#said !== null) presence.update(this.#said.userInfo);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
