// Owns: the seam between the hub and a platform's socket, and what is known of a socket.
// Suite: realtime.suite.ts, which every platform runs with its own sockets.

/** Who is at the other end of a socket, as `auth` said. */
export interface SocketIdentity {
  readonly room: string;
  readonly clientGroupID: string;
  /** Null: nobody that others could see, or that a push could be of. */
  readonly clientID: string | null;
  readonly replicaID: string | null;
  /** Null: the current one. */
  readonly schemaVersion: string | null;
  /** Whether it wants to be told who else is there. */
  readonly wantsPresence: boolean;
}

/** What the hub knows of a socket: plain data, so that a platform can keep it while the hub is not in memory. */
export interface SocketRecord extends SocketIdentity {
  /** Milliseconds since the epoch when `auth` and `authorizeRoom` last said yes. */
  readonly authorizedAt: number;
  /** Of the client's last pull, as it says; null before it said so. */
  readonly cookie: string | null;
  /** As JSON text; null while it shows nothing of itself. */
  readonly userInfo: string | null;
  /** Whether it said hello: from then on it is told of presence. */
  readonly saidHello: boolean;
}

/** One open socket. The hub calls, the platform obeys; what comes in goes to `Hub.receive` and `Hub.leave`. */
export interface HubSocket {
  /** Sends a text frame, in order. May throw when the socket is closing: that is then ignored. */
  send(text: string): void;
  /** Closes it. Never throws; closing twice does nothing. `Hub.leave` may or may not be called afterwards. */
  close(code: number, reason: string): void;
  /** Bytes that were sent and wait in this process; null where the platform does not tell. */
  bufferedBytes(): number | null;
  /** Milliseconds since the epoch of the last ping that the platform answered by itself; null where it does not. */
  lastPingAt(): number | null;
  /** Keeps the record with the socket. Cheap: called for each frame that changes it. */
  keep(record: SocketRecord): void;
  /** The record kept last; null for a socket that no hub has let in. */
  kept(): SocketRecord | null;
}
