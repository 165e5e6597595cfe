// Owns: one socket as the hub sees it: its record, how fresh its authorization is, and sending to it within bounds.
// Invariants:
//   1. What changes of the record is kept with the socket at once: the hub may leave memory between two frames.
//   2. `auth` is in memory alone: a socket that slept through has none until it is asked again.

import * as limits from "../../core/limits.ts";
import { closeCodes } from "../../core/protocol/realtime.ts";
import type { Authorized } from "../authorized.ts";
import { FrameBudget } from "./frame-budget.ts";
import type { HubSocket, SocketIdentity, SocketRecord } from "./hub-socket.ts";

/** A socket that was let in. */
export interface Admission {
  readonly identity: SocketIdentity;
  /** Null where another process asked: then no patch rides on this socket's pokes. */
  readonly auth: Authorized | null;
  /** Asks `auth` and `authorizeRoom` again with the request of then; null where nobody here can. */
  readonly renew: (() => Promise<Renewal>) | null;
}

export type Renewal =
  | { readonly ok: true; readonly auth: Authorized }
  | { readonly ok: false; readonly code: number; readonly reason: string };

const frameBudget = { perSecond: limits.socketFramesPerSecondMax, burst: limits.socketFramesBurstMax };

export class Listener {
  readonly socket: HubSocket;
  readonly budget: FrameBudget;
  readonly renew: (() => Promise<Renewal>) | null;
  /** While it is asked again whether it may listen. */
  isRenewing = false;
  /** While it may be told nothing before the answer. */
  isHeld = false;
  isOpen = true;
  #record: SocketRecord;
  #auth: Authorized | null;
  #heardAt: number;

  constructor(socket: HubSocket, record: SocketRecord, now: number, admission: Omit<Admission, "identity"> | null) {
    this.socket = socket;
    this.budget = new FrameBudget(now, frameBudget);
    this.renew = admission?.renew ?? null;
    this.#record = record;
    this.#auth = admission?.auth ?? null;
    // One that outlived the hub was heard when the platform says so.
    this.#heardAt = admission === null ? record.authorizedAt : now;
  }

  get record(): SocketRecord {
    return this.#record;
  }

  /** What `auth` said, if that is young enough for a patch; else null. */
  freshAuth(now: number): Authorized | null {
    return this.isAuthorized(now, limits.socketCtxMsMax) ? this.#auth : null;
  }

  isAuthorized(now: number, msMax: number): boolean {
    const ageMs = now - this.#record.authorizedAt;
    // Of a clock that was set back nobody knows how old it is: it is asked again.
    return ageMs >= 0 && ageMs <= msMax;
  }

  authorized(auth: Authorized, now: number): void {
    this.#auth = auth;
    this.change({ authorizedAt: now });
  }

  change(change: Partial<SocketRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.socket.keep(this.#record);
  }

  heard(now: number): void {
    this.#heardAt = now;
  }

  /** Milliseconds since anything came from the other end. */
  silentMs(now: number): number {
    // A clock that was set back starts the count anew.
    this.#heardAt = Math.min(now, Math.max(this.#heardAt, this.socket.lastPingAt() ?? 0));
    return now - this.#heardAt;
  }

  /** Sends, unless the other end takes too little; false: it was closed or is closing. */
  send(text: string): boolean {
    if (!this.isOpen) return false;
    if ((this.socket.bufferedBytes() ?? 0) > limits.socketBufferBytesMax) {
      this.close(closeCodes.slowConsumer, "limit/slow-consumer");
      return false;
    }
    try {
      this.socket.send(text);
      return true;
    } catch {
      // It is closing. Its client pulls when it is back.
      return false;
    }
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.socket.close(code, reason);
  }
}
