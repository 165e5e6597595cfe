// Owns: bugs to plant in lazy loading: rows that lie on disk and come into memory while commits go on.

import type { PlantedBug } from "./planted-bug.ts";

export const coldBugs: readonly PlantedBug[] = [
  {
    name: "fill-overwrites-known-rows",
    about: "a row that comes from disk replaces one that has changed since",
    edits: [
      {
        file: "client/ivm/memory-source.ts",
        find: "if (this.#absent !== null && this.knows(id)) continue;",
        replace: "",
      },
    ],
  },
];
