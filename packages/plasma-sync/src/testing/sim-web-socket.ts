// Owns: SimWebSocket: what a page has of a simulated connection: the standard's states, events and calls.
// Invariants:
//   1. Events come in the tab's life: a frozen tab hears them when it goes on, a dead one never.
//   2. `open` at most once, then messages, then `close` once; after `close` nothing.

import type { SimLife } from "./sim-clock.ts";

/** What the wires tell the page's end. */
export interface ClientEnd {
  opened(): void;
  received(text: string): void;
  closed(code: number, reason: string): void;
}

/** Begins a connection; returns what the page's end may do with it. */
export type Connect = (
  url: string,
  end: ClientEnd,
) => { send(text: string): void; close(code: number, reason: string): void };

const NORMAL_CLOSE = 1000;
/** What is seen of a close that named no code. */
const NO_STATUS = 1005;
const CLOSE_CODES = { min: 3000, max: 4999 } as const;

type Handler<E extends Event> = ((event: E) => void) | null;

export class SimWebSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly url: string;
  readonly protocol = "";
  readonly extensions = "";
  /** The wires take everything at once. */
  readonly bufferedAmount = 0;
  binaryType: BinaryType = "blob";
  readyState = 0;
  onopen: Handler<Event> = null;
  onmessage: Handler<MessageEvent> = null;
  onerror: Handler<Event> = null;
  onclose: Handler<CloseEvent> = null;
  readonly #wire: ReturnType<Connect>;

  constructor(url: string, life: SimLife, connect: Connect) {
    super();
    this.url = url;
    const inLife = (fn: () => void) => life.run(fn);
    this.#wire = connect(url, {
      opened: () => inLife(() => this.#opened()),
      received: (text) => inLife(() => this.#received(text)),
      closed: (code, reason) => inLife(() => this.#closed(code, reason)),
    });
  }

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (this.readyState === this.CONNECTING)
      throw new DOMException("The socket is still connecting.", "InvalidStateError");
    if (this.readyState === this.OPEN) this.#wire.send(String(data));
  }

  close(code?: number, reason = ""): void {
    const isAllowed =
      code === undefined || code === NORMAL_CLOSE || (code >= CLOSE_CODES.min && code <= CLOSE_CODES.max);
    if (!isAllowed) throw new DOMException(`A page may not close with ${code}.`, "InvalidAccessError");
    if (this.readyState >= this.CLOSING) return;
    this.readyState = this.CLOSING;
    this.#wire.close(code ?? NO_STATUS, reason);
  }

  #opened(): void {
    if (this.readyState !== this.CONNECTING) return;
    this.readyState = this.OPEN;
    this.#emit(new Event("open"));
  }

  #received(text: string): void {
    if (this.readyState === this.OPEN) this.#emit(new MessageEvent("message", { data: text }));
  }

  #closed(code: number, reason: string): void {
    if (this.readyState === this.CLOSED) return;
    const wasClean = code !== 1006;
    this.readyState = this.CLOSED;
    if (!wasClean) this.#emit(new Event("error"));
    this.#emit(new CloseEvent("close", { code, reason, wasClean }));
  }

  #emit(event: Event): void {
    this.dispatchEvent(event);
    const handler = this[`on${event.type}` as "onopen"];
    handler?.call(this, event);
  }
}
