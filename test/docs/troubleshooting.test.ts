// Every error code has an entry in docs/troubleshooting.md, and every code there exists.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** The codes of a table of errors in the library. */
const codesOf = (path: string): string[] =>
  [...read(`packages/plasma-sync/src/core/${path}`).matchAll(/^ {2}"([a-z]+\/[a-z-]+)":/gm)].map(
    ([, code = ""]) => code,
  );

const entries = [...read("docs/troubleshooting.md").matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = ""]) =>
  [...cell.matchAll(/`([a-z]+\/[a-z-]+)`/g)].map(([, code = ""]) => code),
);
const codes = [...codesOf("error.ts"), ...codesOf("server-errors.ts")];

test("every error code has one entry in docs/troubleshooting.md, and no other code has", () => {
  expect(codes.length).toBeGreaterThan(80);
  expect(entries.toSorted()).toEqual(codes.toSorted());
});

test("the links of docs/troubleshooting.md lead to guides that exist", () => {
  for (const [, guide = ""] of read("docs/troubleshooting.md").matchAll(/\]\((guides\/[a-z-]+\.md)\)/g))
    expect(read(`docs/${guide}`)).not.toBe("");
});
