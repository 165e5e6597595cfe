// Owns: the app of `upload`, for its page and its server.

import { defineMutators, defineSchema, file, id, table, type FileRef, type MutatorInput } from "plasma-sync/core";

export const films = table("films", { id: id(), file: file() });
export const schema = defineSchema({ films });
export const mutators = defineMutators<typeof schema, null>()({
  add: async ({ db, args }: MutatorInput<typeof schema, null, { id: string; film: FileRef }>) => {
    await db.insert(films).values({ id: args.id, file: args.film });
  },
});

/** "Plasma": from the mutation that is durable to the server's word that it is applied. "bare fetch": the same PUTs, alike at once. */
export type UploadWay = "Plasma" | "bare fetch";

export interface UploadRequest {
  readonly way: UploadWay;
  readonly count: number;
  readonly sizeBytes: number;
  readonly atOnce: number;
}
