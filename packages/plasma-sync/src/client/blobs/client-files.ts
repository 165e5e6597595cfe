// Owns: ClientFiles: a client's files on this device: taking in what `mutate` is given, and keeping the cache within its budget.
// Loaded by `import()` when the first file comes.
// Invariants:
//   1. When `take` resolves, the bytes are durable: the mutation that needs them is made durable after them.
//   2. What was taken in stays, whatever the cache must give up, until the mutation that needs it is pending: bytes that were here
//      before, and uploaded, are a cache like any other.
//   3. A file that no column could take is refused before a byte of it is read.

import { isPlasmaError, PlasmaError } from "../../core/error.ts";
import { toBase64 } from "../../core/lib/base64.ts";
import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { isBlob, type FileTag } from "../../core/protocol/tagged-json.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { FileRef } from "../../core/schema/value.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { Replica } from "../replica/replica.ts";
import { callApp } from "../sync/app-callback.ts";
import { inlineBytesBelow, refuseUnlessTaken } from "./column-fit.ts";
import { factsOf, type FileFacts } from "./file-facts.ts";
import type { OnFileProgress } from "./file-progress.ts";
import { createBlobTransport } from "../transport/blob-transport.ts";
import type { HttpOptions } from "../transport/http-exchange.ts";
import { FileTransfers, type FileTransfersDeps } from "./file-transfers.ts";
import type { LocalBlobs } from "./local-blobs.ts";
import { neededFiles } from "./needed-files.ts";
import { hashOf, readBytes, takeInFile } from "./take-in-file.ts";
import { Turns } from "../../core/lib/turns.ts";

export interface ClientFilesDeps extends Pick<FileTransfersDeps, "post" | "report"> {
  readonly schema: AnySchema;
  readonly blobs: LocalBlobs;
  readonly env: Env;
  readonly onProgress: OnFileProgress | undefined;
  /** Bytes of uploaded and downloaded files that may stay on the device; Infinity where none could be fetched again. */
  readonly cacheBytes: number;
  /** Resolves when `replica` and `runtime` hold what the disk does; rejects in a tab that no longer follows it. */
  readonly whenCurrent: () => Promise<void>;
  readonly replica: Pick<Replica, "pending">;
  readonly runtime: QueryRuntime;
  /** Null: an offline client. */
  readonly http: HttpOptions | null;
}

export const createClientFiles = (deps: ClientFilesDeps): ClientFiles => new ClientFiles(deps);

export class ClientFiles {
  readonly blobs: LocalBlobs;
  /** Between this device and the server. */
  readonly transfers: FileTransfers;
  readonly #deps: ClientFilesDeps;
  readonly #closing = new AbortController();
  readonly #turns = new Turns(limits.filesTakenInMax);
  readonly #inlineBelow: number;
  #evictTimer: TimerHandle | null = null;
  /** Hashes of what was taken in for mutations that are not made yet. */
  readonly #inHand = new Set<ReadonlySet<string>>();

  constructor(deps: ClientFilesDeps) {
    this.#deps = deps;
    this.blobs = deps.blobs;
    this.#inlineBelow = inlineBytesBelow(deps.schema);
    const transport = deps.http === null ? null : createBlobTransport(deps.http);
    this.transfers = new FileTransfers({ ...deps, files: this, transport });
    this.touched();
  }

  /** Hashes of files that the server is not known to have. */
  async notUploaded(): Promise<ReadonlySet<string>> {
    return new Set((await this.blobs.notUploaded()).map(({ hash }) => hash));
  }

  /**
   * Puts a FileRef in the place of every Blob in the args, and then makes the mutation. The same object given twice is taken
   * in once.
   *
   * @throws PlasmaError `blob/refused`, `client/file`, `client/storage`, `client/closed`.
   */
  async take<T>(tags: readonly FileTag[], mutatorName: string, makeMutation: () => Promise<T>): Promise<T> {
    const held = new Set<string>();
    this.#inHand.add(held);
    try {
      await this.#takeAll(tags, mutatorName, held);
      return await makeMutation();
    } finally {
      this.#inHand.delete(held);
    }
  }

  /** Bytes have come: looks through the cache in a while. */
  touched(): void {
    const isKeptWhole = this.#deps.cacheBytes === Infinity;
    if (isKeptWhole || this.#evictTimer !== null || this.#closing.signal.aborted) return;
    this.#evictTimer = this.#deps.env.setTimeout(() => {
      this.#evictTimer = null;
      // What cannot be dropped now is dropped after the next file.
      this.#evict(this.#deps.cacheBytes).catch(() => undefined);
    }, limits.blobEvictDelayMs);
  }

  /** Ends use; files under way are dropped and their mutations reject with `client/closed`. */
  close(): void {
    this.#closing.abort(new PlasmaError("client/closed", {}));
    if (this.#evictTimer !== null) this.#deps.env.clearTimeout(this.#evictTimer);
    this.transfers.close();
    this.blobs.close();
  }

  async #takeAll(tags: readonly FileTag[], mutatorName: string, held: Set<string>): Promise<void> {
    const files = new Map<Blob, FileFacts>();
    for (const { $file } of tags) if (isBlob($file)) files.set($file, factsOf($file));
    for (const facts of files.values()) refuseUnlessTaken(this.#deps.schema, facts, mutatorName);
    const taken = [...files].map(([file, facts]) => this.#turns.run(() => this.#takeOne(file, facts, held)));
    // All of them end before this does: what goes on behind the app's back could still fail, or be closed over.
    const results = await Promise.allSettled(taken);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const refs = await Promise.all(taken);
    const refByFile = new Map([...files.keys()].map((file, i) => [file, refs[i] as FileRef]));
    for (const tag of tags) if (isBlob(tag.$file)) tag.$file = refByFile.get(tag.$file) as FileRef;
  }

  async #takeOne(file: Blob, facts: FileFacts, held: Set<string>): Promise<FileRef> {
    const { signal } = this.#closing;
    signal.throwIfAborted();
    const tell = (hash: string | null, loadedBytes: number) =>
      callApp(() => this.#deps.onProgress?.({ phase: "hashing", hash, file, loadedBytes, totalBytes: file.size }));
    if (file.size < this.#inlineBelow) {
      const bytes = await readBytes(file, 0, file.size);
      const hash = await hashOf(bytes, this.#deps.env);
      tell(hash, file.size);
      return { hash, ...facts, inline: toBase64(bytes) };
    }
    const onLoaded = (loadedBytes: number) => tell(null, loadedBytes);
    const onHash = (hash: string) => void held.add(hash);
    const store = () => takeInFile(this.blobs, file, { env: this.#deps.env, signal, onLoaded, onHash });
    const hash = await store().catch(async (error: unknown) => {
      // The cache makes room for what is only here.
      if (!isQuotaError(error) || this.#deps.cacheBytes === Infinity) throw error;
      const gone = await this.#evict(0).catch(() => []);
      if (gone.length === 0) throw error;
      return store();
    });
    tell(hash, file.size);
    this.touched();
    return { hash, ...facts };
  }

  async #evict(budgetBytes: number): Promise<readonly string[]> {
    const { schema, replica, runtime, whenCurrent } = this.#deps;
    // Before that it does not know what is needed.
    await whenCurrent();
    // As it is when the bytes go, not when they are about to be looked through.
    let needed: ReadonlySet<string> | null = null;
    const isNeeded = (hash: string) =>
      (needed ??= neededFiles(schema, replica.pending, runtime)).has(hash) || this.#isInHand(hash);
    return this.blobs.evict({ budgetBytes, isNeeded });
  }

  #isInHand(hash: string): boolean {
    for (const held of this.#inHand) if (held.has(hash)) return true;
    return false;
  }
}

const isQuotaError = (error: unknown): boolean =>
  isPlasmaError(error, "client/storage") && (error.cause as Error | undefined)?.name === "QuotaExceededError";
