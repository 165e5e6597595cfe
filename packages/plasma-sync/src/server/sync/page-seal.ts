// Owns: sealing what a cookie must carry but its reader must not read: the place of a first sync in a table is the id of the
// last row scanned, which may be a row that the reader may not see.
// Format: base64 of nonce (12 bytes) ‖ AES-GCM-256 ciphertext, with the table's name as additional data. The key is random,
// made once per database and kept in `_plasma_schema`, so that every process of a deployment opens what another sealed.
// The cipher is a library's and not the platform's, whose promises end when they like: a simulated run could not be repeated.

import { gcm } from "@noble/ciphers/aes.js";
import { must } from "../../core/lib/assert.ts";
import { fromBase64, toBase64 } from "../../core/lib/base64.ts";
import type { Env } from "../../core/lib/env.ts";
import { fromHex, toHex } from "../../core/lib/hex.ts";
import type { DialectName, SqlExecutor, SqlStatement } from "../database/sql-executor.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import { serverError } from "../server-error.ts";

const NONCE_BYTES = 12;
const KEY_BYTES = 32;
const KEY_NAME = "page-key";

const readKey = (dialect: DialectName): SqlStatement => ({
  text: withPlaceholders(dialect, "SELECT value FROM _plasma_schema WHERE key = ?1"),
  params: [KEY_NAME],
});
/** Of several processes that make one, the first wins. */
const storeKey = (dialect: DialectName, hex: string): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    "INSERT INTO _plasma_schema (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
  ),
  params: [KEY_NAME, hex],
});

export class PageSeal {
  readonly #executor: SqlExecutor;
  readonly #env: Env;
  // The key itself, not a promise of it: a Worker may not await another request's promise.
  #key: Uint8Array | null = null;

  constructor(executor: SqlExecutor, env: Env) {
    this.#executor = executor;
    this.#env = env;
  }

  async seal(table: string, text: string): Promise<string> {
    const key = (await this.#loadKey()) ?? (await this.#makeKey());
    const nonce = this.#env.randomBytes(NONCE_BYTES);
    const bytes = cipherOf(key, nonce, table).encrypt(utf8(text));
    const sealed = new Uint8Array(nonce.length + bytes.length);
    sealed.set(nonce);
    sealed.set(bytes, nonce.length);
    return toBase64(sealed);
  }

  /** Throws `pull/cookie` for what was not sealed here for this table. */
  async open(table: string, sealed: string): Promise<string> {
    const bytes = fromBase64(sealed);
    if (bytes === null || bytes.length <= NONCE_BYTES) throw serverError("pull/cookie", {});
    const key = await this.#loadKey();
    // Nothing was ever sealed here.
    if (key === null) throw serverError("pull/cookie", {});
    const [nonce, ciphertext] = [bytes.slice(0, NONCE_BYTES), bytes.slice(NONCE_BYTES)];
    try {
      return new TextDecoder().decode(cipherOf(key, nonce, table).decrypt(ciphertext));
    } catch (cause) {
      throw serverError("pull/cookie", {}, { cause });
    }
  }

  async #loadKey(): Promise<Uint8Array | null> {
    if (this.#key !== null) return this.#key;
    const [row] = await this.#executor.all(readKey(this.#executor.dialect));
    if (row === undefined) return null;
    return (this.#key = must(fromHex(String(row["value"])), "page seal: the key is stored as hex digits"));
  }

  async #makeKey(): Promise<Uint8Array> {
    await this.#executor.run(storeKey(this.#executor.dialect, toHex(this.#env.randomBytes(KEY_BYTES))));
    return must(await this.#loadKey(), "page seal: the key was stored a moment ago");
  }
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const cipherOf = (key: Uint8Array, nonce: Uint8Array, table: string) => gcm(key, nonce, utf8(table));
