// Owns: what an upload may be before anybody knows which column it is for: no larger than the largest that a file column takes,
// and of a type that one of them takes. The column's own rules are held at the push.

import * as limits from "../../core/limits.ts";
import { matchesMime, type FileOptions } from "../../core/schema/file-policy.ts";
import type { AnySchema } from "../../core/schema/schema.ts";

export interface BlobPolicy {
  readonly sizeBytesMax: number;
  readonly allows: (mime: string) => boolean;
}

export function blobPolicyOf(schema: AnySchema, sizeBytesMax = limits.blobBytesMax): BlobPolicy {
  const files = [...schema.tablesByName.values()]
    .filter((meta) => !meta.changeLogSuppressed)
    .flatMap((meta) => meta.columns.flatMap(({ def }): FileOptions[] => (def.kind === "file" ? [def.file ?? {}] : [])));
  const largest = Math.max(0, ...files.map(({ maxSize = sizeBytesMax }) => maxSize));
  return {
    sizeBytesMax: Math.min(sizeBytesMax, largest),
    allows: (mime) =>
      files.some(({ mimeAllowList }) => mimeAllowList?.some((allowed) => matchesMime(allowed, mime)) ?? true),
  };
}
