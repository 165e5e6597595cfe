// Owns: SimSockets: WebSockets between simulated tabs and servers, and what can happen to them on the way.
//
//   tab ══ messages, in order ══► server      (cut: what is under way is lost, and so is all that follows)
//       ◄══ messages, in order ══
//
// Invariants:
//   1. Messages of one direction arrive in the order in which they were sent, each whole, once, until the connection is cut: then
//      none arrives any more. As with TCP, no message in the middle is lost alone.
//   2. Each end learns of a cut after a while, or never: then only its own heartbeat can tell.
//   3. What an end has sent and the other has not taken counts as buffered: that of a frozen tab grows.
//   4. While a device is cut off, messages wait for it a while, as TCP repeats them; then the connection is dead, and no end is told.

import type { SocketConstructor } from "../client/transport/socket-like.ts";
import type { NetworkFaults } from "./sim-network.ts";
import { SimLife, type SimClock } from "./sim-clock.ts";
import type { SimRandom } from "./sim-random.ts";
import { SimWebSocket, type ClientEnd } from "./sim-web-socket.ts";

/** The server's end of a connection. */
export interface SimServerSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Bytes sent that the tab has not taken. */
  readonly bufferedBytes: number;
  /** Called for each message, in the life of the server's process. */
  onMessage: (text: string) => void;
  /** Called once, when the connection has ended and this end knows it. */
  onClose: (code: number, reason: string) => void;
}

/** A server's answer to the request for a socket: it listens from now on, or says why not. */
export type SimUpgrade = (request: Request, socket: SimServerSocket) => Promise<"accepted" | Response>;

export interface SocketScope {
  readonly clock: SimClock;
  readonly random: SimRandom;
  /** What takes sockets; null while no server runs. */
  readonly server: () => { readonly life: SimLife; readonly upgrade: SimUpgrade } | null;
  readonly faults: () => NetworkFaults;
  readonly isCutOff: (device: string) => boolean;
  readonly note: (what: string, tab: string) => void;
  /** Told of every frame, as it is sent. */
  readonly onFrame?: (frame: SimFrame) => void;
}

/** A message on its way. */
export interface SimFrame {
  readonly device: string;
  readonly tab: string;
  readonly to: "server" | "client";
  readonly text: string;
}

/** Who opens a socket. */
export interface SocketOwner {
  readonly device: string;
  readonly life: SimLife;
  /** As cookies of the page would be sent. */
  readonly headers: () => HeadersInit;
}

/** Milliseconds after which a browser gives up a connection that nobody answers. */
const CONNECT_MS = 2000;
/** How long TCP repeats what a device that is cut off does not take. */
const REPEAT_MS_MAX = 15_000;
const REPEAT_MS = 200;
/** What else waits on a connection that takes nothing: more than any server holds for one. */
const OTHERS_BYTES = 64 * 1024 * 1024;
/** What is seen of a connection that broke. */
const ABNORMAL_CLOSE = 1006;

export class SimSockets {
  readonly #scope: SocketScope;
  readonly #open = new Set<Connection>();

  constructor(scope: SocketScope) {
    this.#scope = scope;
  }

  /** The `WebSocket` of a tab. */
  webSocketOf(owner: SocketOwner): SocketConstructor {
    const connect = (url: string, end: ClientEnd) => this.#connect(owner, url, end);
    return class extends SimWebSocket {
      constructor(url: string | URL) {
        super(String(url), owner.life, connect);
      }
    };
  }

  /** Breaks every connection of the device, or all of them: as a router does that forgets them. */
  cut(device?: string): void {
    for (const connection of this.#open) if (device === undefined || connection.device === device) connection.cut();
  }

  /** What the tab or the server's process has held is gone; the other end learns of it, or does not. */
  buried(life: SimLife): void {
    for (const connection of this.#open) if (connection.isOf(life)) connection.cut();
  }

  /** Makes every tab of the device stop taking messages, though its connections stay. */
  stall(device: string, isStalled: boolean): void {
    for (const connection of this.#open) if (connection.device === device) connection.stall(isStalled);
  }

  get count(): number {
    return this.#open.size;
  }

  #connect(
    owner: SocketOwner,
    url: string,
    end: ClientEnd,
  ): { send(text: string): void; close(code: number, reason: string): void } {
    const { clock, random, faults, isCutOff, server, note } = this.#scope;
    const { device, life } = owner;
    const { delayMsMax, lostRequest } = faults();
    const fail = (what: string, delayMs: number) => {
      note(`socket: ${what}`, life.name);
      clock.after(delayMs, life, () => end.closed(ABNORMAL_CLOSE, ""));
    };
    const idle = { send: () => undefined, close: () => undefined };
    if (isCutOff(device)) return (fail("cut off", random.int(0, delayMsMax)), idle);
    if (random.chance(lostRequest)) return (fail("connection lost", CONNECT_MS), idle);
    const connection = new Connection(this.#scope, owner, end, () => this.#open.delete(connection));
    clock.after(random.int(0, delayMsMax), WIRES, () => {
      const found = server();
      if (found === null) return fail("no server", random.int(0, delayMsMax));
      this.#open.add(connection);
      connection.server = found.life;
      const request = new Request(url.replace(/^ws/, "http"), { headers: upgradeHeaders(owner) });
      found.upgrade(request, connection.serverEnd).then(
        (answer) => (answer === "accepted" ? connection.open() : connection.refuse()),
        () => connection.refuse(),
      );
    });
    return connection.clientEnd;
  }
}

/** As every browser sends them, and the page's own. */
function upgradeHeaders({ headers }: SocketOwner): Headers {
  const list = new Headers(headers());
  list.set("upgrade", "websocket");
  return list;
}

const WIRES = new SimLife("sockets");

interface Message {
  readonly at: number;
  readonly bytes: number;
  readonly take: () => void;
}

/** What a direction asks of its connection. */
interface PipeOwner {
  readonly scope: SocketScope;
  readonly device: string;
  readonly isOver: boolean;
  /** The network has given it up. */
  lost(): void;
}

/** One direction of a connection. */
class Pipe {
  readonly #connection: PipeOwner;
  readonly #life: () => SimLife;
  readonly #queue: Message[] = [];
  #lastAt = 0;
  #isPumping = false;
  /** Since when a message could not pass. */
  #blockedAt: number | null = null;
  isStalled = false;
  bufferedBytes = 0;

  constructor(connection: PipeOwner, life: () => SimLife) {
    this.#connection = connection;
    this.#life = life;
  }

  send(bytes: number, take: () => void): void {
    const { clock, random, faults } = this.#connection.scope;
    const at = Math.max(this.#lastAt, clock.now + random.int(0, faults().delayMsMax));
    this.#lastAt = at;
    this.bufferedBytes += bytes;
    this.#queue.push({ at, bytes, take });
    this.pump();
  }

  pump(): void {
    const [head] = this.#queue;
    if (this.#isPumping || head === undefined || this.#connection.isOver || this.isStalled) return;
    const { clock } = this.#connection.scope;
    this.#isPumping = true;
    clock.after(this.#blockedAt === null ? head.at - clock.now : REPEAT_MS, WIRES, () => {
      this.#isPumping = false;
      this.#pass();
    });
  }

  #pass(): void {
    const connection = this.#connection;
    const { clock, isCutOff } = connection.scope;
    if (connection.isOver || this.isStalled) return;
    if (isCutOff(connection.device)) {
      this.#blockedAt ??= clock.now;
      if (clock.now - this.#blockedAt > REPEAT_MS_MAX) return connection.lost();
      return this.pump();
    }
    this.#blockedAt = null;
    const message = this.#queue.shift();
    if (message !== undefined)
      this.#life().run(() => {
        this.bufferedBytes -= message.bytes;
        message.take();
      });
    this.pump();
  }
}

class Connection {
  readonly scope: SocketScope;
  readonly #owner: SocketOwner;
  readonly #end: ClientEnd;
  readonly #onOver: () => void;
  readonly #toServer: Pipe;
  readonly #toClient: Pipe;
  #state: "opening" | "open" | "closing" | "over" = "opening";
  server: SimLife = WIRES;
  readonly serverEnd: SimServerSocket;
  readonly clientEnd: { send(text: string): void; close(code: number, reason: string): void };

  constructor(scope: SocketScope, owner: SocketOwner, end: ClientEnd, onOver: () => void) {
    this.scope = scope;
    this.#owner = owner;
    this.#end = end;
    this.#onOver = onOver;
    this.#toServer = new Pipe(this, () => this.server);
    this.#toClient = new Pipe(this, () => owner.life);
    const toClient = this.#toClient;
    this.serverEnd = {
      send: (text) => this.#send("client", text),
      close: (code, reason) => {
        scope.note(`socket: server closed it with ${code}`, owner.life.name);
        this.#close("client", code, reason);
      },
      get bufferedBytes() {
        return toClient.bufferedBytes + (toClient.isStalled ? OTHERS_BYTES : 0);
      },
      onMessage: () => undefined,
      onClose: () => undefined,
    };
    this.clientEnd = {
      send: (text) => this.#send("server", text),
      close: (code, reason) => this.#close("server", code, reason),
    };
  }

  get device(): string {
    return this.#owner.device;
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  isOf(life: SimLife): boolean {
    return this.#owner.life === life || this.server === life;
  }

  open(): void {
    // It ended before the server had said yes.
    if (this.#state === "over") return this.#tellServer(ABNORMAL_CLOSE, "");
    // A server may close it in the same step.
    if (this.#state === "opening") this.#state = "open";
    this.scope.note("socket: opened", this.#owner.life.name);
    this.#toClient.send(0, () => this.#end.opened());
  }

  /** The server answers with something else than a socket. */
  refuse(): void {
    if (this.#state === "over") return;
    this.scope.note("socket: refused", this.#owner.life.name);
    this.#over();
    this.#tellClient(ABNORMAL_CLOSE);
  }

  stall(isStalled: boolean): void {
    this.#toClient.isStalled = isStalled;
    this.#toClient.pump();
  }

  /** Nothing passes any more; each end learns of it after a while, or not. */
  cut(): void {
    if (this.#state === "over") return;
    const { random, note } = this.scope;
    // A page that has closed it waits for no answer.
    const tells = { client: random.chance(0.6) || this.#state === "closing", server: random.chance(0.6) };
    note(tells.client && tells.server ? "socket: cut" : "socket: half-open", this.#owner.life.name);
    this.#over();
    if (tells.client) this.#tellClient(ABNORMAL_CLOSE);
    if (tells.server) this.#tellServer(ABNORMAL_CLOSE, "");
  }

  /** The network has given it up. */
  lost(): void {
    if (this.#state === "over") return;
    this.scope.note("socket: half-open", this.#owner.life.name);
    if (this.#state === "closing") this.#tellClient(ABNORMAL_CLOSE);
    this.#over();
  }

  #send(to: SimFrame["to"], text: string): void {
    if (this.#state === "over" || this.#state === "closing") return;
    const { random, faults, onFrame } = this.scope;
    onFrame?.({ device: this.device, tab: this.#owner.life.name, to, text });
    const pipe = to === "server" ? this.#toServer : this.#toClient;
    const take = to === "server" ? () => this.serverEnd.onMessage(text) : () => this.#end.received(text);
    if (random.chance(faults().socketCut)) {
      // Before this message or behind it.
      if (random.chance(0.5)) pipe.send(0, () => undefined);
      return this.cut();
    }
    pipe.send(text.length, take);
  }

  #close(to: SimFrame["to"], code: number, reason: string): void {
    if (this.#state === "over" || this.#state === "closing") return;
    this.#state = "closing";
    const pipe = to === "server" ? this.#toServer : this.#toClient;
    pipe.send(0, () => {
      this.#over();
      if (to === "server") this.serverEnd.onClose(code, reason);
      else this.#end.closed(code, reason);
      if (to === "server") this.#tellClient(code);
      else this.#tellServer(code, reason);
    });
  }

  #over(): void {
    this.#state = "over";
    this.#onOver();
  }

  #tellClient(code: number): void {
    const { clock, random, faults } = this.scope;
    clock.after(random.int(0, faults().delayMsMax), this.#owner.life, () => this.#end.closed(code, ""));
  }

  #tellServer(code: number, reason: string): void {
    const { clock, random, faults } = this.scope;
    clock.after(random.int(0, faults().delayMsMax), this.server, () => this.serverEnd.onClose(code, reason));
  }
}
