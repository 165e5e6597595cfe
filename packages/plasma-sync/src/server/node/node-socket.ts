// Owns: one WebSocket of Node as the hub's seam, and whether its other end lives.

import type { WebSocket } from "ws";
import type { HubSocket, SocketRecord } from "../realtime/hub-socket.ts";

export class NodeSocket implements HubSocket {
  readonly #socket: WebSocket;
  #record: SocketRecord | null = null;
  #isAlive = true;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  send(text: string): void {
    // Beyond OPEN it would only be dropped.
    this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  lastPingAt(): null {
    return null;
  }

  keep(record: SocketRecord): void {
    this.#record = record;
  }

  kept(): SocketRecord | null {
    return this.#record;
  }

  /** Something came from the other end. */
  heard(): void {
    this.#isAlive = true;
  }

  /** Asks whether the other end is there; cuts the connection when it did not answer the last time. */
  probe(): void {
    if (!this.#isAlive) return this.#socket.terminate();
    this.#isAlive = false;
    this.#socket.ping();
  }
}
