// Owns: the small app of the file tests, for its page and its server: notes that may have a file.
import { defineMutators, type MutatorInput } from "../../packages/plasma-sync/src/core/mutation/mutator.ts";
import { id, text } from "../../packages/plasma-sync/src/core/schema/column.ts";
import { file } from "../../packages/plasma-sync/src/core/schema/file-column.ts";
import { defineSchema } from "../../packages/plasma-sync/src/core/schema/schema.ts";
import { table } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { FileRef } from "../../packages/plasma-sync/src/core/schema/value.ts";

/** `types`: what the column takes; the page of an older deployment may not know. */
export function filesApp(types?: readonly string[]) {
  const notes = table("notes", {
    id: id(),
    title: text(),
    cover: file(types === undefined ? {} : { mimeAllowList: types }).nullable(),
  });
  const schema = defineSchema({ notes });
  type Args = { id: string; title: string; cover: FileRef | null };
  const mutators = defineMutators<typeof schema, unknown>()({
    add: async ({ db, args }: MutatorInput<typeof schema, unknown, Args>) => {
      await db.insert(notes).values(args);
    },
  });
  return { notes, schema, mutators };
}
