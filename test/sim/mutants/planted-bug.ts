// Owns: what a planted bug is, and how it gets into the text of its modules.
// Invariant: each edit's text occurs exactly once in its file, else planting fails: the code has moved, and the bug must follow.

import { readFileSync } from "node:fs";

export interface PlantedBug {
  /** In kebab-case, unique. */
  readonly name: string;
  /** What breaks, in a few words. */
  readonly about: string;
  readonly edits: readonly BugEdit[];
}

export interface BugEdit {
  /** Below packages/plasma-sync/src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const SOURCE = new URL("../../../packages/plasma-sync/src/", import.meta.url);

/** The text with the bug's edits of that file in it. */
export function withBug(bug: PlantedBug, file: string, text: string): string {
  let planted = text;
  for (const edit of bug.edits) {
    if (edit.file !== file) continue;
    const parts = planted.split(edit.find);
    if (parts.length !== 2)
      throw new RangeError(
        `Planted bug "${bug.name}": its text occurs ${parts.length - 1} times in ${file}, not once. ` +
          `The code has moved: plant the bug where it is now. The text: ${edit.find}`,
      );
    planted = parts.join(edit.replace);
  }
  return planted;
}

/** Throws when an edit of the bug does not fit the sources. */
export function checkBug(bug: PlantedBug): void {
  for (const file of new Set(bug.edits.map((edit) => edit.file)))
    withBug(bug, file, readFileSync(new URL(file, SOURCE), "utf8"));
}
