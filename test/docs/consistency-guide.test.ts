// Each promise of the consistency guide names tests: they are there, under these words.

import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const guide = new URL("../../docs/guides/consistency.md", import.meta.url);
const text = readFileSync(guide, "utf8");

interface Named {
  readonly file: string;
  readonly title: string | null;
}

/** `[file](path): "title" · "title"`: titles belong to the file before them. */
function namedTests(cell: string): Named[] {
  const named: Named[] = [];
  let file = "";
  for (const [, path, title] of cell.matchAll(/\]\(([^)]+)\)|"([^"]+)"/g)) {
    if (path !== undefined) named.push({ file: (file = path), title: null });
    else if (title !== undefined) named.push({ file, title });
  }
  return named;
}

const rows = [...text.matchAll(/^\| \*\*(.+?)\*\*.*?\| (.+) \|$/gm)].map(([, promise = "", cell = ""]) => ({
  promise,
  tests: namedTests(cell),
}));

test("it makes promises", () => expect(rows.length).toBeGreaterThan(12));

test.each(rows)("$promise", ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const { file, title } of tests) {
    const url = new URL(file, guide);
    expect(existsSync(url), file).toBe(true);
    if (title !== null) expect(readFileSync(url, "utf8"), file).toContain(title);
  }
});
