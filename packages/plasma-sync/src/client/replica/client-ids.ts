// Owns: ClientIDs: under which clientID this tab makes mutations, and which id the next one gets.

import type { FeedStep } from "./feed-step.ts";

export class ClientIDs {
  #clientID: string;
  #nextID = 1;
  readonly #onReplaced: (clientID: string) => void;

  /** `onReplaced` is called with each clientID that takes the place of the one before. */
  constructor(clientID: string, onReplaced: (clientID: string) => void) {
    this.#clientID = clientID;
    this.#onReplaced = onReplaced;
  }

  get clientID(): string {
    return this.#clientID;
  }

  /** The id of the next mutation. */
  get next(): number {
    return this.#nextID;
  }

  /** Takes the next id. */
  take(): number {
    return this.#nextID++;
  }

  /** Ids go on behind the highest that the store knows of each client. */
  restart(lastIDs: ReadonlyMap<string, number>): void {
    this.#nextID = (lastIDs.get(this.#clientID) ?? 0) + 1;
  }

  /** Begins anew as another client. */
  replace(clientID: string): void {
    this.#clientID = clientID;
    this.#nextID = 1;
    this.#onReplaced(clientID);
  }

  /** Entries go on under other ids, or under a new client; so does this tab when they are its own. */
  rename({ renamed, movedDown }: FeedStep): void {
    const ownID = this.#clientID;
    for (const { mutation, entry } of renamed) {
      const isNewClient = mutation.entry.clientID !== entry.clientID;
      const isOwn = mutation.entry.clientID === ownID;
      mutation.entry = entry;
      if (!isNewClient) continue;
      mutation.state = "queued";
      if (!isOwn) continue;
      this.#clientID = entry.clientID;
      this.#nextID = entry.id + 1;
    }
    this.#nextID -= movedDown.get(this.#clientID) ?? 0;
    if (this.#clientID !== ownID) this.#onReplaced(this.#clientID);
  }
}
