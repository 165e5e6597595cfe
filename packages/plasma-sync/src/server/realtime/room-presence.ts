// Owns: who is in one room and what they say of themselves, and what of it has not been told yet.
// Invariants:
//   1. A member is there while one of its sockets shows something; it shows what was said last by those that are open.
//   2. What a member says several times between two deltas is told once, the last of it.
//   3. The list and all deltas after it, in order, make the members as they are; a delta may repeat what the list said.

import type { HubSocket } from "./hub-socket.ts";

interface Member {
  readonly clientGroupID: string;
  /** In the order in which they spoke: the last one is shown. */
  readonly jsonBySocket: Map<HubSocket, string>;
}

export class RoomPresence {
  readonly #members = new Map<string, Member>();
  /** Members to tell of, as they will be then: who waits longest first. */
  readonly #changed = new Set<string>();
  #list: string | null = null;

  get size(): number {
    return this.#members.size;
  }

  get hasNews(): boolean {
    return this.#changed.size > 0;
  }

  /** Whether the id is another group's here: nobody may pose as another's client. */
  isOfOthers(clientID: string, clientGroupID: string): boolean {
    const member = this.#members.get(clientID);
    return member !== undefined && member.clientGroupID !== clientGroupID;
  }

  /** A socket of a member says something of it. */
  show(socket: HubSocket, who: { readonly clientID: string; readonly clientGroupID: string }, json: string): void {
    const { clientID, clientGroupID } = who;
    let member = this.#members.get(clientID);
    if (member === undefined) this.#members.set(clientID, (member = { clientGroupID, jsonBySocket: new Map() }));
    const before = shownBy(member);
    member.jsonBySocket.delete(socket);
    member.jsonBySocket.set(socket, json);
    if (before !== json) this.#change(clientID);
  }

  /** A socket shows nothing any more. */
  hide(socket: HubSocket, clientID: string): void {
    const member = this.#members.get(clientID);
    if (member === undefined) return;
    const before = shownBy(member);
    if (!member.jsonBySocket.delete(socket)) return;
    if (member.jsonBySocket.size === 0) this.#members.delete(clientID);
    if (shownBy(member) !== before) this.#change(clientID);
  }

  /** The frame with all members. */
  list(): string {
    this.#list ??= `{"type":"presence","entries":[${[...this.#members].map(entryOf).join(",")}]}`;
    return this.#list;
  }

  /** A frame of about so many characters, with what has waited longest to be told; null for nothing. */
  takeDelta(charsMax: number): string | null {
    if (this.#changed.size === 0) return null;
    const put: string[] = [];
    const del: string[] = [];
    let chars = 0;
    for (const clientID of this.#changed) {
      const member = this.#members.get(clientID);
      const text = member === undefined ? JSON.stringify(clientID) : entryOf([clientID, member]);
      (member === undefined ? del : put).push(text);
      this.#changed.delete(clientID);
      chars += text.length;
      if (chars >= charsMax) break;
    }
    return `{"type":"presence-delta","put":[${put.join(",")}],"del":[${del.join(",")}]}`;
  }

  /**
   * Forgets what has not been told: for a hub that woke up, whose sockets know the members. But of one whose sockets show
   * different things nobody remembers which was said last: it is told anew.
   */
  forgetNews(): void {
    for (const clientID of this.#changed) {
      const shown = new Set(this.#members.get(clientID)?.jsonBySocket.values());
      if (shown.size <= 1) this.#changed.delete(clientID);
    }
  }

  #change(clientID: string): void {
    this.#changed.add(clientID);
    this.#list = null;
  }
}

const shownBy = ({ jsonBySocket }: Member): string | undefined => [...jsonBySocket.values()].at(-1);

const entryOf = ([clientID, member]: readonly [string, Member]): string =>
  `{"clientID":${JSON.stringify(clientID)},"userInfo":${shownBy(member) ?? "null"}}`;
