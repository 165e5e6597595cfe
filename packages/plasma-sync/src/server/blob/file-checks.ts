// Owns: FileChecks: whether a mutation may put the FileRefs that it writes into rows: its group has sent those bytes, or can read
// a row that has them. Else anybody who knows a hash could give it to a row of their own, and read the bytes.
// Invariants:
//   1. Only refs that are new to their row's column are asked about; a write of tables without files costs nothing.
//   2. A refusal says the same of a hash that nobody has and of one that is another's.
//   3. What was accepted is still there at the commit: the transaction sees to it, or its guard (`holdBlobs`).
//   4. What a push was once allowed, its later mutations are: they may copy a ref whose row an earlier one has changed.

import { sha256 } from "@noble/hashes/sha2.js";
import { PlasmaError } from "../../core/error.ts";
import { fromBase64 } from "../../core/lib/base64.ts";
import { toHex } from "../../core/lib/hex.ts";
import type { MutationStore, RowWrite } from "../../core/mutation/mutation-store.ts";
import type { FileRef } from "../../core/schema/value.ts";
import type { ServerStore } from "../database/push-transaction.ts";
import type { DialectName, SqlStatement } from "../database/sql-executor.ts";
import { jsonTexts, packJson } from "../sql/json-params.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import type { ReadRules } from "../sync/read-rules.ts";
import { isBlobHash } from "./blob-key.ts";
import { toBlobRef } from "./blob-records.ts";
import { readableFiles } from "./readable-refs.ts";

export interface FileScope {
  readonly dialect: DialectName;
  readonly fileColumns: FileColumns;
  readonly clientGroupID: string;
  readonly rules: ReadRules;
  readonly refsMax: number;
  /** More refs than `refsMax` exist of a hash, and none of those that were asked shows it. */
  readonly onCapHit: (hash: string) => void;
}

/** Table → its file columns, of tables that have some. */
export type FileColumns = ReadonlyMap<string, readonly string[]>;

/** A ref that is new to its place. */
interface NewRef {
  readonly place: string;
  readonly file: FileRef;
}

interface KnownBlob {
  readonly key: string;
  readonly sizeBytes: number;
}

export class FileChecks {
  readonly #scope: FileScope;
  /** By hash. */
  readonly #allowed = new Map<string, KnownBlob>();

  constructor(scope: FileScope) {
    this.#scope = scope;
  }

  /** The store, which then refuses writes of refs that the group may not use (`blob/refused`). */
  guarding(store: ServerStore): MutationStore {
    return {
      select: (query) => store.select(query),
      getMany: (table, ids) => store.getMany(table, ids),
      write: async (writes) => {
        const refs = this.#newRefs(writes);
        if (refs.length > 0) await this.#check(store, refs);
        return store.write(writes);
      },
    };
  }

  #newRefs(writes: readonly RowWrite[]): NewRef[] {
    return writes.flatMap(({ table, before, after }) => {
      const columns = after === null ? undefined : this.#scope.fileColumns.get(table);
      return (columns ?? []).flatMap((column) => {
        const file = after?.[column] as FileRef | null;
        const was = (before?.[column] ?? null) as FileRef | null;
        // A sealed value (end to end encryption) names no hash.
        if (file === null || !isBlobHash(file.hash)) return [];
        const isKnown = was?.hash === file.hash && was.inline === file.inline;
        return isKnown ? [] : [{ place: `"${table}.${column}"`, file }];
      });
    });
  }

  async #check(store: ServerStore, refs: readonly NewRef[]): Promise<void> {
    for (const ref of refs) if (ref.file.inline !== undefined) checkInline(ref);
    const stored = refs.filter(({ file }) => file.inline === undefined);
    const asked = [...new Set(stored.map(({ file }) => file.hash))].filter((hash) => !this.#allowed.has(hash));
    if (asked.length > 0) await this.#ask(store, asked);
    for (const { place, file } of stored) {
      const blob = this.#allowed.get(file.hash);
      if (blob === undefined)
        throw refused(place, "its bytes were not uploaded by you, and no row that you can read has them");
      if (blob.sizeBytes !== file.size) throw refused(place, `its bytes are ${blob.sizeBytes}, not ${file.size}`);
    }
    const keys = stored.flatMap(({ file }) => this.#allowed.get(file.hash)?.key ?? []);
    store.holdBlobs(keys);
  }

  /** Adds those of the hashes that the group may use to the allowed ones. */
  async #ask(store: ServerStore, hashes: readonly string[]): Promise<void> {
    const { dialect, clientGroupID } = this.#scope;
    const others = new Map<string, KnownBlob>();
    for (const some of packJson(hashes)) {
      for (const row of await store.readLog(readBlobs(dialect, some, clientGroupID))) {
        const blob = { key: String(row["blob_key"]), sizeBytes: Number(row["size_bytes"]) };
        (row["uploader"] === null ? others : this.#allowed).set(String(row["hash"]), blob);
      }
    }
    if (others.size > 0) await this.#askRows(store, others);
  }

  async #askRows(store: ServerStore, others: ReadonlyMap<string, KnownBlob>): Promise<void> {
    const { dialect, refsMax, rules, onCapHit } = this.#scope;
    for (const some of packJson([...others.keys()])) {
      const refs = (await store.readLog(readRefs(dialect, some, refsMax + 1))).map(toBlobRef);
      const byHash = Map.groupBy(refs, ({ hash }) => hash);
      const asked = [...byHash.values()].flatMap((list) => list.slice(0, refsMax));
      const readable = await readableFiles(rules, asked, (query) => store.select(query));
      for (const [hash, list] of byHash) {
        const blob = others.get(hash);
        if (blob !== undefined && readable.has(hash)) this.#allowed.set(hash, blob);
        else if (list.length > refsMax) onCapHit(hash);
      }
    }
  }
}

function checkInline({ place, file }: NewRef): void {
  const bytes = fromBase64(file.inline ?? "");
  if (bytes?.length !== file.size || toHex(sha256(bytes)) !== file.hash)
    throw refused(place, "the bytes inside of it are not those of its hash");
}

const refused = (place: string, why: string) => new PlasmaError("blob/refused", { what: `The file for ${place}`, why });

/** The blobs of some hashes; `uploader` is null where the group has not sent one. */
const readBlobs = (dialect: DialectName, hashes: string, clientGroupID: string): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    `SELECT b.hash, b.blob_key, b.size_bytes, u.client_group_id AS uploader FROM _plasma_blobs AS b ` +
      `LEFT JOIN _plasma_blob_uploads AS u ON u.hash = b.hash AND u.client_group_id = ?2 ` +
      `WHERE b.hash IN (SELECT value FROM ${jsonTexts(dialect, "?1")})`,
  ),
  params: [hashes, clientGroupID],
});

/** The first refs to each of some hashes. */
const readRefs = (dialect: DialectName, hashes: string, refsMax: number): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    `SELECT hash, table_name, row_id, column_name FROM (SELECT r.*, ` +
      `row_number() OVER (PARTITION BY hash ORDER BY table_name, row_id, column_name) AS place FROM _plasma_blob_refs AS r ` +
      `WHERE hash IN (SELECT value FROM ${jsonTexts(dialect, "?1")})) AS numbered WHERE place <= ${refsMax}`,
  ),
  params: [hashes],
});
