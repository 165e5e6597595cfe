// Owns: bugs to plant in the server's pull and in the change log.

import type { PlantedBug } from "./planted-bug.ts";

const PULL = "server/sync/pull.ts";
const LOG_READS = "server/sync/log-reads.ts";

export const pullBugs: readonly PlantedBug[] = [
  {
    name: "visibility-ignored-on-update",
    about: "a row that an update has hidden is not taken from its reader",
    edits: [
      {
        file: "server/sync/visibility.ts",
        find: "if (isSeen(history.rowAt(i, meta))) return",
        replace: "if (now === null && isSeen(history.rowAt(i, meta))) return",
      },
    ],
  },
  {
    name: "last-ids-ahead-of-page",
    about: "lastMutationIDs are read after the page, not with it",
    edits: [
      {
        file: PULL,
        find: "newsOf(entries, this.#audience);",
        replace:
          "{ ...newsOf(entries, this.#audience), lastMutationIDs: toLastIDs(await this.#read.executor.all(readLastIDs(this.#read.executor.dialect, this.#audience))) };",
      },
    ],
  },
  {
    name: "as-of-off-by-one",
    about: "a table as of a version lacks that version's own change",
    edits: [
      {
        file: "server/sql/as-of.ts",
        find: "AND row_version > ${version}`",
        replace: "AND row_version >= ${version}`",
      },
    ],
  },
  {
    name: "candidates-forget-before-images",
    about: "a membership that ends moves no rows out of sight",
    edits: [
      {
        file: "server/sync/log-changes.ts",
        find: "flatMap(({ before, value }) => [before, value])",
        replace: "flatMap(({ value }) => [value])",
      },
    ],
  },
  {
    name: "moved-rows-lose-their-tail",
    about: "rows that did not fit into the page in which they moved are never told",
    edits: [
      {
        file: "server/sync/moved-rows.ts",
        find: "return { patch, last, rowsScanned: Math",
        replace: "return { patch, last: null, rowsScanned: Math",
      },
    ],
  },
  {
    name: "compaction-bound-ignored",
    about: "a cookie below the compaction's bound goes on when its entry is still there",
    edits: [{ file: LOG_READS, find: "version >= head.compactedTo && ", replace: "" }],
  },
  {
    name: "tag-ignored",
    about: "a cookie of a history that was put back goes on in the new one",
    edits: [{ file: LOG_READS, find: "tag !== null && head.anchorTag === tag", replace: "tag !== null" }],
  },
  {
    name: "resync-without-clear",
    about: "rows that are gone stay with a client that syncs anew",
    edits: [{ file: PULL, find: '{ patch: [{ op: "clear" }], rowsScanned: 0 }', replace: "nothing" }],
  },
  {
    name: "first-sync-skips-the-log",
    about: "what changed while the tables were read by pages is not told",
    edits: [
      {
        file: PULL,
        find: "if (isFull) return this.#partOf(end, await this.#pageAt(phase.place), { patch, rowsScanned });",
        replace: "patch.length = told.patch.length;",
      },
    ],
  },
];
