// Owns: bugs to plant in the client: its store, replica and tabs.

import type { PlantedBug } from "./planted-bug.ts";

const DISK = "testing/sim-disk.ts";
const REBASE = "client/replica/rebase.ts";
const SYNC = "client/replica/replica-sync.ts";

export const clientBugs: readonly PlantedBug[] = [
  {
    name: "patch-without-cookie",
    about: "a page's rows become durable and its cookie does not",
    edits: [
      {
        file: "client/store/plan-commit.ts",
        find: "...(cookie === undefined ? {} : { cookie }),",
        replace: "...(cookie === undefined || meta.cookie !== null ? {} : { cookie }),",
      },
    ],
  },
  {
    name: "cookie-without-patch",
    about: "a page's cookie becomes durable before its rows",
    edits: [
      {
        file: DISK,
        find: "      disk.apply(commit);\n",
        replace: '      void this.#options.gate("after", "cookie").then(() => disk.apply(commit));\n',
      },
    ],
  },
  {
    name: "lost-outbox-delete",
    about: "the last entry that a pull confirms stays in the outbox on disk",
    edits: [
      {
        file: "client/store/outbox-map.ts",
        find: "id <= (confirmed[clientID] ?? 0)",
        replace: "id < (confirmed[clientID] ?? 0)",
      },
    ],
  },
  {
    name: "replay-skipped-on-overlap",
    about: "a rebase keeps effects whose rows have changed beneath them",
    edits: [{ file: REBASE, find: " && !dependsOn(kept, dirty))", replace: ")" }],
  },
  {
    name: "replay-forgets-what-it-wrote",
    about: "mutations that read what a replay wrote anew keep their old effect",
    edits: [
      {
        file: REBASE,
        find: "    markDirty(dirty, effect);\n    effects.push(effect);",
        replace: "    effects.push(effect);",
      },
    ],
  },
  {
    name: "base-image-not-kept",
    about: "a rebase takes the view's row for the base's",
    edits: [
      {
        file: REBASE,
        find: "known === undefined ? (runtime.source(table).get(id) ?? null) : known",
        replace: "runtime.source(table).get(id) ?? known ?? null",
      },
    ],
  },
  {
    name: "deposed-leader-writes",
    about: "the store takes pages of a tab that leads no more",
    edits: [
      {
        file: "client/store/plan-commit.ts",
        find: " || (epoch !== undefined && meta.epoch !== epoch)",
        replace: "",
      },
    ],
  },
  {
    name: "push-before-durable",
    about: "a mutation is pushed before the device holds it",
    edits: [
      {
        file: SYNC,
        find: "if (mutation.order === null || batch.length >= countMax) break;",
        replace: "if (batch.length >= countMax) break;",
      },
    ],
  },
  {
    name: "applied-leaves-with-the-answer",
    about: "an applied mutation leaves the view before the pull that covers it",
    edits: [
      {
        file: SYNC,
        find: "if (rejected.length > 0) await this.#commit({ changes: [], confirmed: {}, rejected });",
        replace:
          "const confirmed = Object.fromEntries(applied.map(({ clientID, id }) => [clientID, id]));\n" +
          "    if (results.length > 0) await this.#commit({ changes: [], confirmed, rejected });",
      },
    ],
  },
  {
    name: "lost-never-queued-again",
    about: "what the server applied and then lost is never pushed again",
    edits: [{ file: SYNC, find: "if (page.hasMore !== true) this.#queueLost();", replace: "" }],
  },
  {
    name: "refusal-told-twice",
    about: "the leader tells a refusal although the tab that made it lives",
    edits: [
      {
        file: "client/client-core.ts",
        find: "if (!this.session.leading || (await this.#links.isLocked(this.#clientLock(clientID)))) return;",
        replace: "if (!this.session.leading) return;",
      },
    ],
  },
  {
    name: "gap-in-feed-skipped",
    about: "a tab goes on behind a commit that it never got",
    edits: [
      {
        file: "client/replica/commit-feed.ts",
        find: "const next = this.#waiting.get(this.#next);",
        replace: "const next = this.#waiting.get(this.#next) ?? [...this.#waiting.values()][0];",
      },
      {
        file: "client/replica/commit-feed.ts",
        find: "this.#waiting.delete(this.#next);",
        replace: "this.#waiting.delete(placeOf(next));",
      },
    ],
  },
];
