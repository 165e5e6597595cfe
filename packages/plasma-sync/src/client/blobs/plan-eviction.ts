// Owns: which bytes leave this device, as a pure function that both implementations share.

import * as limits from "../../core/limits.ts";
import type { EvictOptions, LocalBlobInfo } from "./local-blobs.ts";

export interface StoredBlob extends LocalBlobInfo {
  /** Ms since the epoch of the last time that somebody wrote the same bytes. */
  readonly writtenAt: number;
  /** Ms since the epoch of the last use, as far as it was noted. */
  readonly usedAt: number;
}

/** The hashes to drop: orphans, then uploaded bytes, least recently used first, until the rest fits the budget. */
export function planEviction(
  stored: readonly StoredBlob[],
  { budgetBytes, isNeeded, now }: EvictOptions & { readonly now: number },
): string[] {
  const isOrphan = ({ uploaded, writtenAt }: StoredBlob) => !uploaded && now - writtenAt > limits.blobOrphanMs;
  const free = stored.filter(({ hash }) => !isNeeded(hash));
  const gone = free.filter(isOrphan);
  let keptBytes = bytesOf(stored) - bytesOf(gone);
  for (const blob of free.filter(({ uploaded }) => uploaded).sort((a, b) => a.usedAt - b.usedAt)) {
    if (keptBytes <= budgetBytes) break;
    gone.push(blob);
    keptBytes -= blob.sizeBytes;
  }
  return gone.map(({ hash }) => hash);
}

const bytesOf = (blobs: readonly StoredBlob[]): number => blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
