// Owns: SHA-256 of bytes that come in pieces: in a worker where the page may have one, else on the page's own thread.
// Invariants:
//   1. At most `limits.hashPiecesAheadMax` pieces are in memory for the worker.
//   2. A page that cannot start the worker (Content-Security-Policy, a bundler that lost the file, no network and no cache)
//      hashes on its own thread, in pieces so small that it still draws.

import { sha256 } from "@noble/hashes/sha2.js";
import { PlasmaError } from "../../core/error.ts";
import { toHex } from "../../core/lib/hex.ts";
import * as limits from "../../core/limits.ts";
import type { FromHashWorker, ToHashWorker } from "./hash-worker.ts";

export interface PieceHasher {
  /** How large pieces had best be. */
  readonly pieceBytes: number;
  /** Adds bytes, which the caller leaves alone from then on; resolves when the next may come. */
  update(bytes: Uint8Array): Promise<void>;
  /** The hash in lower-case hex. */
  digest(): Promise<string>;
  /** Ends use, at any time. */
  close(): void;
}

export async function openPieceHasher(): Promise<PieceHasher> {
  const worker = await startWorker();
  return worker === null ? createPageHasher() : new WorkerHasher(worker);
}

/** Hashes where it is called. */
export function createPageHasher(): PieceHasher {
  const hasher = sha256.create();
  return {
    pieceBytes: limits.fileReadBytes,
    update: async (bytes) => void hasher.update(bytes),
    digest: async () => toHex(hasher.digest()),
    close: () => undefined,
  };
}

/** A worker that has said that it is ready; null where none can be. */
function startWorker(): Promise<Worker | null> {
  return new Promise((resolve) => {
    let worker: Worker;
    try {
      // In this form bundlers find the file.
      worker = new Worker(new URL("./hash-worker.ts", import.meta.url), { type: "module" });
    } catch {
      return resolve(null); // No workers here, or a policy against them.
    }
    worker.onmessage = () => resolve(worker);
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      resolve(null);
    };
  });
}

class WorkerHasher implements PieceHasher {
  readonly pieceBytes = limits.blobChunkBytes;
  readonly #worker: Worker;
  /** What waits for an answer, in order. */
  readonly #waiting: { readonly resolve: (answer: string) => void; readonly reject: (error: Error) => void }[] = [];
  /** Answers to the pieces that it has not hashed yet, oldest first. */
  readonly #ahead: Promise<string>[] = [];

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromHashWorker>) => this.#waiting.shift()?.resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
  }

  async update(bytes: Uint8Array): Promise<void> {
    this.#ahead.push(this.#ask(bytes));
    if (this.#ahead.length >= limits.hashPiecesAheadMax) await this.#ahead.shift();
  }

  digest(): Promise<string> {
    return this.#ask("digest");
  }

  close(): void {
    this.#worker.terminate();
    this.#fail("it was closed");
  }

  #ask(message: ToHashWorker): Promise<string> {
    const answer = new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    // Told of by whoever awaits it.
    answer.catch(() => undefined);
    this.#worker.postMessage(message);
    return answer;
  }

  #fail(why: string): void {
    const error = new PlasmaError("client/file", { name: "", what: `its hash could not be made (${why})` });
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
