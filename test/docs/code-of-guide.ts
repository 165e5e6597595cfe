// Owns: the code of a guide in docs/guides: the blocks that readers see, and the regions of the program that is checked.

import { readFileSync } from "node:fs";

const read = (name: string): string => readFileSync(new URL(`../../docs/guides/${name}`, import.meta.url), "utf8");

/** The ts blocks of a guide, in order. */
export const blocksOf = (guide: string): string[] =>
  [...read(guide).matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code.trimEnd());

/** The regions of its program, in order, without the indentation that the program gives them. */
export const regionsOf = (program: string): string[] =>
  [...read(program).matchAll(/^( *)\/\/ #region.*?\n(.*?)^ *\/\/ #endregion$/gms)].map(([, indent = "", code = ""]) =>
    code
      .split("\n")
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
      .join("\n")
      .trimEnd(),
  );
