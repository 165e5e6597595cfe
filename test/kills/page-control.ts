// Owns: the test's end of the sockets of its pages: what they have said, and how to wait until one has said something.

import { once } from "node:events";
import { type AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { FromPage, ToPage } from "./page-messages.ts";

export class PageControl {
  readonly url: string;
  readonly #server: WebSocketServer;
  readonly #sockets = new Set<WebSocket>();
  #told: ToPage | null = null;
  readonly #listeners = new Set<(message: FromPage) => void>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      if (this.#told !== null) socket.send(JSON.stringify(this.#told));
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
      socket.on("message", (data) => {
        const message = JSON.parse(String(data)) as FromPage;
        for (const listener of this.#listeners) listener(message);
      });
    });
  }

  static async open(): Promise<PageControl> {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return new PageControl(server);
  }

  /** Calls `listener` with what pages say from now on. Returns how to stop. */
  listen(listener: (message: FromPage) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** To every page that is open, or opens before `forget`. */
  tell(message: ToPage): void {
    this.#told = message;
    for (const socket of this.#sockets) socket.send(JSON.stringify(message));
  }

  forget(): void {
    this.#told = null;
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#server.close();
  }
}
