// Owns: what Plasma needs of a WebSocket: the platform's, or another one that an app hands over (`ws`, a simulated one).

export interface SocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- every WebSocket has event types of its own
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: any) => void): void;
}

export type SocketConstructor = new (url: string) => SocketLike;
