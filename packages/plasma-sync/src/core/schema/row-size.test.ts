import { expect, test } from "vitest";
import { TABLE_META } from "./table.ts";
import { bigint, id, int, json, text } from "./column.ts";
import { table } from "./table.ts";
import { rowSizeBytes, rowSizeBytesAtMost } from "./wire-row.ts";

const meta = table("notes", { id: id(), body: text(), n: int(), big: bigint(), data: json() })[TABLE_META];

test("the bound on a row's bytes is never below them, whatever its text holds", () => {
  for (const body of ["", "plain", "\u0001\u0002", '"\\\n', "é", "漢字", "\u{1f600}".repeat(9)]) {
    const row = { id: "a", body, n: -5, big: 10n ** 18n, data: { text: body } };
    expect(rowSizeBytesAtMost(meta, row)).toBeGreaterThanOrEqual(rowSizeBytes(meta, row));
  }
});
