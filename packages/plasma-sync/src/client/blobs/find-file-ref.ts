// Owns: finding a file's FileRef in a mutation's args as they are stored (tagged JSON).

import type { FileRef } from "../../core/schema/value.ts";

/** The first FileRef of `hash` in tagged args, or null. */
export function findFileRef(args: unknown, hash: string): FileRef | null {
  if (typeof args !== "object" || args === null) return null;
  const { $file } = args as { readonly $file?: FileRef };
  if ($file?.hash === hash) return $file;
  for (const value of Object.values(args)) {
    const found = findFileRef(value, hash);
    if (found !== null) return found;
  }
  return null;
}
