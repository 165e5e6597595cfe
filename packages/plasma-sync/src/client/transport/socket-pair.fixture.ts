// Owns: sockets between two ends in one process, whose far ends a test holds: it lets them in, sends, closes, cuts, or has them
// fall silent. Events come in promise turns, so a virtual Env's `advance` lets them settle.

import type { SocketConstructor, SocketLike } from "./socket-like.ts";

/** The server's end. */
export interface FarEnd {
  readonly url: URL;
  /** What the page has sent. */
  readonly received: readonly string[];
  /** Whether the page's end still listens, as far as it knows. */
  readonly isOpen: boolean;
  /** Completes the handshake. */
  accept(): void;
  send(text: string): void;
  close(code: number): void;
  /** The connection is gone, and neither end is told. Accepts nothing, delivers nothing. */
  fallSilent(): void;
}

export interface SocketPairs {
  readonly WebSocketImpl: SocketConstructor;
  /** Every connection that was tried, in order. */
  readonly ends: readonly FarEnd[];
  /** The newest. */
  last(): FarEnd;
  /** Called for each connection, as it is made. */
  onConnect: (end: FarEnd) => void;
  /** Called for each frame of the page, after it has been noted. */
  onFrame: (end: FarEnd, text: string) => void;
}

/** Makes sockets whose far ends do nothing by themselves. */
export function createSocketPairs(): SocketPairs {
  const ends: FarEnd[] = [];
  const pairs: SocketPairs = {
    WebSocketImpl: class extends PairSocket {
      constructor(url: string) {
        super(url, (end, text) => pairs.onFrame(end, text));
        ends.push(this.far);
        pairs.onConnect(this.far);
      }
    },
    ends,
    last: () => {
      const end = ends.at(-1);
      if (end === undefined) throw new Error("nobody has connected");
      return end;
    },
    onConnect: () => undefined,
    onFrame: () => undefined,
  };
  return pairs;
}

class PairSocket implements SocketLike {
  readyState = 0;
  bufferedAmount = 0;
  readonly far: FarEnd;
  readonly #received: string[] = [];
  readonly #listeners: { readonly type: string; readonly listener: (event: object) => void }[] = [];
  readonly #onFrame: (end: FarEnd, text: string) => void;
  #isSilent = false;

  constructor(url: string, onFrame: (end: FarEnd, text: string) => void) {
    this.#onFrame = onFrame;
    const isOpen = () => this.readyState < 2;
    this.far = {
      url: new URL(url),
      received: this.#received,
      get isOpen() {
        return isOpen();
      },
      accept: () =>
        this.#later(() => {
          if (this.readyState !== 0) return;
          this.readyState = 1;
          this.#emit("open", {});
        }),
      send: (data) => this.#later(() => this.readyState === 1 && this.#emit("message", { data })),
      close: (code) =>
        this.#later(() => {
          if (this.readyState === 3) return;
          this.readyState = 3;
          this.#emit("close", { code });
        }),
      fallSilent: () => {
        this.#isSilent = true;
      },
    };
  }

  send(text: string): void {
    if (this.readyState === 0) throw new DOMException("connecting", "InvalidStateError");
    if (this.readyState !== 1 || this.#isSilent) return;
    this.#received.push(text);
    this.#onFrame(this.far, text);
  }

  close(): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.push({ type, listener });
  }

  #later(what: () => unknown): void {
    if (!this.#isSilent) void Promise.resolve().then(() => this.#isSilent || what());
  }

  #emit(type: string, event: object): void {
    for (const { type: wanted, listener } of this.#listeners) if (wanted === type) listener(event);
  }
}
