// Owns: `{basePath}/blob/:sha256`: taking in the bytes of files, and giving them to whoever can read a row that has them.
// Invariants:
//   1. An upload counts when all of its bytes came and had the hash, whoever else has sent them before: to know a hash is
//      worth nothing. Its answer is the same whether the blob was there or not.
//   2. A blob is given to readers of a row that holds it now. All others get one answer, as for a hash that nobody has.
//   3. Bytes pass through: a bounded part of them is in memory. They are refused as soon as it is known that they will be.

import { isPlasmaError } from "../../core/error.ts";
import type { FileRef } from "../../core/schema/value.ts";
import { runSelect } from "../database/table-reads.ts";
import type { Authorized, HandlerSettings } from "../handler-options.ts";
import { serverError } from "../server-error.ts";
import { ReadRules } from "../sync/read-rules.ts";
import { blobHeaders, etagOf } from "./blob-answer.ts";
import { createBlobKey } from "./blob-key.ts";
import { blobPolicyOf, type BlobPolicy } from "./blob-policy.ts";
import { BlobRecords, readBlobWithRefs, toBlobRef, type NewBlob } from "./blob-records.ts";
import { hasAlready, parseHash, parseRange, parseUpload, type Upload } from "./blob-request.ts";
import type { BlobStore } from "./blob-store.ts";
import { readableFiles } from "./readable-refs.ts";
import { UploadSlots } from "./upload-slots.ts";

/** A blob that the caller may read. */
interface FoundBlob {
  readonly key: string;
  readonly sizeBytes: number;
  readonly file: FileRef;
}

export class BlobEndpoint {
  readonly #settings: HandlerSettings;
  readonly #store: BlobStore;
  readonly #records: BlobRecords;
  readonly #policy: BlobPolicy;
  readonly #slots = new UploadSlots();
  readonly #onCapHit: (hash: string) => void;

  constructor(settings: HandlerSettings, store: BlobStore, onCapHit: (hash: string) => void) {
    const { schema, executor, maxBlobBytes } = settings.options;
    this.#settings = settings;
    this.#store = store;
    this.#records = new BlobRecords(executor);
    this.#policy = blobPolicyOf(schema, maxBlobBytes);
    this.#onCapHit = onCapHit;
  }

  /**
   * Takes the bytes in; tells how many. Throws `blob/invalid`, `blob/length`, `blob/too-large`, `blob/type`,
   * `blob/hash-mismatch`, `blob/interrupted`, `blob/upload-failed`, `limit/rate`.
   */
  async put(request: Request, auth: Authorized, hashText: string): Promise<number> {
    try {
      const hash = parseHash(hashText);
      return await this.#slots.use(auth.clientGroupID, async () => {
        const upload = await parseUpload(request, this.#policy);
        await this.#takeIn(hash, upload, auth.clientGroupID);
        return upload.sizeBytes;
      });
    } catch (error) {
      // What is no longer wanted is not read: the sender sees the answer and stops.
      if (request.body?.locked === false) request.body.cancel().catch(() => undefined);
      throw error;
    }
  }

  /** Gives the blob. Throws `blob/invalid`, `blob/not-found`, `blob/range`. */
  async get(request: Request, auth: Authorized, hashText: string): Promise<Response> {
    const hash = parseHash(hashText);
    const found = await this.#find(hash, auth);
    if (found === null) throw serverError("blob/not-found", {});
    const { key, sizeBytes, file } = found;
    const whole = { file, sizeBytes, range: null };
    if (hasAlready(request.headers, etagOf(hash))) {
      const headers = blobHeaders(whole);
      headers.delete("content-length");
      return new Response(null, { status: 304, headers });
    }
    if (request.method === "HEAD") {
      if ((await this.#store.head(key)) === null) throw serverError("blob/not-found", {});
      return new Response(null, { headers: blobHeaders(whole) });
    }
    const range = parseRange(request.headers, etagOf(hash), sizeBytes);
    const content = await this.#store.get(key, range ?? undefined);
    if (content === null) throw serverError("blob/not-found", {});
    const status = range === null ? 200 : 206;
    return new Response(content.body as BodyInit, { status, headers: blobHeaders({ ...whole, range }) });
  }

  async #takeIn(hash: string, { body, sizeBytes }: Upload, clientGroupID: string): Promise<void> {
    const { env } = this.#settings;
    const key = createBlobKey(hash, env);
    await this.#records.begin(key, env.now());
    try {
      await this.#store.put(key, body, sizeBytes);
    } catch (cause) {
      if (!isSendersFault(cause)) throw serverError("blob/upload-failed", {}, { cause });
      await this.#records.forget(key);
      throw cause;
    }
    await this.#keep({ hash, key, sizeBytes, clientGroupID, now: env.now() });
  }

  async #keep(blob: NewBlob): Promise<void> {
    const { hash, key } = blob;
    const kept = await this.#records.finish(blob);
    if (kept === null) throw serverError("blob/upload-failed", {});
    if (kept === key) return;
    // Somebody has sent it before. Should its bytes be lost (a store that was restored), these take their place.
    if ((await this.#store.head(kept)) === null) return this.#records.replace(hash, kept, key);
    await this.#store.delete([key]);
    await this.#records.forget(key);
  }

  async #find(hash: string, auth: Authorized): Promise<FoundBlob | null> {
    const { refsMax, options } = this.#settings;
    const { schema, executor } = options;
    const rows = await executor.all(readBlobWithRefs(executor.dialect, hash, refsMax + 1));
    const [first] = rows;
    if (first === undefined) return null;
    const refs = rows.slice(0, refsMax).map(toBlobRef);
    const select = (query: Parameters<typeof runSelect>[0]) =>
      runSelect(query, { schema, dialect: executor.dialect }, executor.all);
    const file = (await readableFiles(new ReadRules(schema, auth.ctx), refs, select)).get(hash);
    if (file !== undefined) return { key: String(first["blob_key"]), sizeBytes: Number(first["size_bytes"]), file };
    if (rows.length > refsMax) this.#onCapHit(hash);
    return null;
  }
}

/** Then nothing was stored. */
const isSendersFault = (error: unknown): boolean =>
  ["blob/hash-mismatch", "blob/interrupted", "blob/too-large"].some(
    (code) => isPlasmaError(error) && error.code === code,
  );
