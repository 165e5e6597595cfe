// Owns: the hub: all sockets of one process or object, their rooms, pokes and presence. The platform's shell hands it what
// comes in; it decides what goes out. It knows no platform and no database.
// Invariants:
//   1. Nothing is sent to a socket whose authorization is older than `socketAuthMsMax`: it is asked again first, or asked to
//      come again.
//   2. A socket costs bounded memory: one record, and no queue but the platform's, which is bounded where it tells its size.
//   3. Presence goes out in ticks: one text for all of a room, however many frames came in between, and no more of it than
//      a bound; who waits longest is told of first.
//   4. Without sockets there is no timer; with sockets that say nothing there is at most the one that looks for dead ones.

import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { closeCodes, isCleanClose, parseClientFrame, PONG, type ClientFrame } from "../../core/protocol/realtime.ts";
import type { PushOrigin } from "../authorized.ts";
import type { PokeTarget } from "./coordinator.ts";
import { Listener, type Admission, type Renewal } from "./listener.ts";
import type { HubSocket, SocketRecord } from "./hub-socket.ts";
import { Renewals } from "./renewals.ts";
import { Room } from "./room.ts";

export interface HubOptions {
  readonly env: Env;
  /** Sends a poke to these. Default: a plain one to each. Not called for nobody. */
  readonly deliver?: (listeners: readonly Listener[]) => void;
  /** Milliseconds between looks for dead sockets; null where a timer would keep the hub awake: then when something happens. */
  readonly sweepMs?: number | null;
}

export const POKE = '{"type":"poke"}';

export class Hub {
  readonly #env: Env;
  readonly #deliver: (listeners: readonly Listener[]) => void;
  readonly #sweepMs: number | null;
  readonly #listeners = new Map<HubSocket, Listener>();
  readonly #rooms = new Map<string, Room>();
  readonly #renewals = new Renewals(limits.socketRenewalsMax);
  #sweepTimer: TimerHandle | null = null;
  #sweptAt: number;

  constructor({ env, deliver = pokePlainly, sweepMs = limits.socketSweepMs }: HubOptions) {
    this.#env = env;
    this.#deliver = deliver;
    this.#sweepMs = sweepMs;
    this.#sweptAt = env.now();
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Takes a socket that was let in. False: there are too many, and it was closed. */
  join(socket: HubSocket, { identity, auth, renew }: Admission): boolean {
    if (this.size >= limits.hubSocketsMax) {
      socket.close(closeCodes.comeAgain, "limit/sockets");
      return false;
    }
    const now = this.#env.now();
    const record: SocketRecord = { ...identity, authorizedAt: now, cookie: null, userInfo: null, saidHello: false };
    socket.keep(record);
    this.#add(new Listener(socket, record, now, { auth, renew }));
    this.#sweepIfDue();
    return true;
  }

  /** Takes the sockets that stayed open while the hub was not in memory. */
  wake(sockets: Iterable<HubSocket>): void {
    for (const socket of sockets) {
      const record = socket.kept();
      if (record !== null && !this.#listeners.has(socket))
        this.#add(new Listener(socket, record, this.#env.now(), null));
    }
    for (const room of this.#rooms.values()) room.wake();
    // How long ago that was, nobody remembers.
    this.#sweptAt = 0;
  }

  /** A frame came in. */
  receive(socket: HubSocket, data: unknown): void {
    const listener = this.#listeners.get(socket);
    if (listener?.isOpen !== true) return;
    const now = this.#env.now();
    listener.heard(now);
    if (typeof data !== "string") return this.#end(listener, closeCodes.binary, "request/invalid");
    if (data.length > limits.socketFrameBytesMax) return this.#end(listener, closeCodes.tooLarge, "limit/payload");
    const frame = parseClientFrame(data);
    const cost = frame?.type === "hello" ? limits.socketHelloFrames : 1;
    if (!listener.budget.take(now, cost)) return this.#end(listener, closeCodes.flood, "limit/rate");
    if (frame !== null) this.#obey(listener, frame);
    this.#sweepIfDue();
  }

  /** The other end shows that it lives, by a frame of the protocol below. */
  heard(socket: HubSocket): void {
    this.#listeners.get(socket)?.heard(this.#env.now());
  }

  /** A socket has closed. A broken one's member stays for a while: it comes back. */
  leave(socket: HubSocket, code: number): void {
    const listener = this.#listeners.get(socket) ?? this.#adopt(socket);
    if (listener !== null) this.#remove(listener, isCleanClose(code));
  }

  /** Tells that something has changed. */
  poke({ rooms, origin, isPlain = false }: PokeTarget): void {
    const listeners = this.#in(rooms).filter((listener) => origin === null || !isOf(origin, listener.record));
    const ready = listeners.filter((listener) => this.#mayHear(listener));
    if (isPlain) pokePlainly(ready);
    else if (ready.length > 0) this.#deliver(ready);
    for (const listener of ready) this.#refresh(listener);
    this.#sweepIfDue();
  }

  /** Members whose sockets went silent are gone. Who shows nothing may be silent: that it is dead is the platform's to find. */
  sweep(): void {
    const now = this.#env.now();
    this.#sweptAt = now;
    for (const listener of this.#listeners.values()) {
      if (listener.isOpen && listener.record.userInfo === null) continue;
      if (listener.isOpen && listener.silentMs(now) <= limits.socketSilenceMsMax) continue;
      listener.close(closeCodes.comeAgain, "limit/silence");
      this.#remove(listener, true);
    }
  }

  /** Whether any socket shows something of itself: only then there is anything to look for. */
  get hasMembers(): boolean {
    return [...this.#rooms.values()].some(({ presence }) => presence.size > 0);
  }

  /** Closes all sockets: their clients come again, here or elsewhere. */
  close(): void {
    for (const listener of this.#listeners.values()) this.#end(listener, closeCodes.comeAgain, "server/closing");
    for (const room of this.#rooms.values()) room.stop();
    this.#rooms.clear();
  }

  /** A member whose end woke the hub: it is no longer among the open sockets, and the others still see it. */
  #adopt(socket: HubSocket): Listener | null {
    const record = socket.kept();
    if (record === null || record.userInfo === null) return null;
    const listener = new Listener(socket, record, this.#env.now(), null);
    this.#add(listener);
    return listener;
  }

  #in(rooms: readonly string[] | null): Listener[] {
    if (rooms === null) return [...this.#listeners.values()];
    return rooms.flatMap((name) => [...(this.#rooms.get(name)?.listeners ?? [])]);
  }

  #obey(listener: Listener, frame: ClientFrame): void {
    if (frame.type === "ping") return void listener.send(PONG);
    if (frame.type !== "presence" && frame.cookie !== undefined) listener.change({ cookie: frame.cookie });
    if (frame.type === "presence") this.#show(listener, frame.userInfo);
    if (frame.type !== "hello") return;
    listener.change({ saidHello: true });
    if (frame.userInfo !== undefined) this.#show(listener, frame.userInfo);
    if (listener.isOpen && this.#mayHear(listener)) this.#roomOf(listener).tellAll(listener);
  }

  #show(listener: Listener, userInfo: unknown): void {
    const { clientID, clientGroupID } = listener.record;
    // Whom nobody can name, nobody can see.
    if (clientID === null) return;
    const room = this.#roomOf(listener);
    if (userInfo === null) {
      listener.change({ userInfo: null });
      room.hide(listener);
      return;
    }
    if (room.presence.isOfOthers(clientID, clientGroupID))
      return this.#end(listener, closeCodes.room, "auth/client-mismatch");
    listener.change({ userInfo: JSON.stringify(userInfo) });
    room.show(listener);
  }

  /** Whether it may be sent something now. If not, it is asked again, and told what it missed when it may. */
  #mayHear(listener: Listener): boolean {
    if (!listener.isOpen || listener.isHeld) return false;
    const now = this.#env.now();
    if (listener.isAuthorized(now, limits.socketAuthMsMax)) return true;
    this.#renew(listener);
    return false;
  }

  #renew(listener: Listener): void {
    if (listener.renew === null) return this.#end(listener, closeCodes.comeAgain, "auth/expired");
    listener.isHeld = true;
    this.#askAgain(listener, listener.renew);
  }

  /** Was it told without the patch, as what `auth` said is too old for one? Then the next poke has one. */
  #refresh(listener: Listener): void {
    const { renew, isOpen, isRenewing } = listener;
    if (renew === null || !isOpen || isRenewing) return;
    if (!listener.isAuthorized(this.#env.now(), limits.socketCtxMsMax)) this.#askAgain(listener, renew);
  }

  #askAgain(listener: Listener, renew: () => Promise<Renewal>): void {
    if (listener.isRenewing) return;
    listener.isRenewing = true;
    void this.#renewals.run(renew).then((renewal) => {
      listener.isRenewing = false;
      if (!listener.isOpen) return;
      if (!renewal.ok) return this.#end(listener, renewal.code, renewal.reason);
      listener.authorized(renewal.auth, this.#env.now());
      if (listener.isHeld) this.#catchUp(listener);
    });
  }

  /** Tells it whatever it was not told while it was held: maybe nothing, then it pulls once too often. */
  #catchUp(listener: Listener): void {
    listener.isHeld = false;
    this.#deliver([listener]);
    if (listener.record.saidHello) this.#roomOf(listener).tellAll(listener);
  }

  #roomOf({ record: { room: name } }: Listener): Room {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new Room(this.#env, (listener) => this.#mayHear(listener));
      this.#rooms.set(name, room);
    }
    return room;
  }

  #add(listener: Listener): void {
    this.#listeners.set(listener.socket, listener);
    this.#roomOf(listener).add(listener);
    if (this.#sweepMs !== null) this.#sweepTimer ??= this.#env.setTimeout(() => this.#sweepOnTime(), this.#sweepMs);
  }

  #remove(listener: Listener, isForGood: boolean): void {
    const { room: name } = listener.record;
    listener.isOpen = false;
    this.#listeners.delete(listener.socket);
    const room = this.#rooms.get(name);
    room?.remove(listener, isForGood, () => {
      if (room.isEmpty && this.#rooms.get(name) === room) this.#rooms.delete(name);
    });
    if (this.size > 0 || this.#sweepTimer === null) return;
    this.#env.clearTimeout(this.#sweepTimer);
    this.#sweepTimer = null;
  }

  /** Closes it from this side. Who is asked to come again stays a member until then. */
  #end(listener: Listener, code: number, reason: string): void {
    // Whatever the platform tells of its end later is known already.
    listener.socket.keep({ ...listener.record, userInfo: null });
    listener.close(code, reason);
    this.#remove(listener, code !== closeCodes.comeAgain && code !== closeCodes.slowConsumer);
  }

  #sweepOnTime(): void {
    this.#sweepTimer = null;
    this.sweep();
    if (this.size > 0 && this.#sweepMs !== null)
      this.#sweepTimer = this.#env.setTimeout(() => this.#sweepOnTime(), this.#sweepMs);
  }

  #sweepIfDue(): void {
    if (this.#env.now() - this.#sweptAt >= limits.socketSweepMs) this.sweep();
  }
}

function pokePlainly(listeners: readonly Listener[]): void {
  for (const listener of listeners) listener.send(POKE);
}

const isOf = (origin: PushOrigin, { clientID, replicaID }: SocketRecord): boolean =>
  clientID === origin.clientID || (replicaID !== null && replicaID === origin.replicaID);
