import { expect, test } from "vitest";
import { completeInsert, mergeUpdate } from "./complete-row.ts";
import { id, json } from "./column.ts";
import { metaOf, table } from "./table.ts";

const notes = table("notes", { id: id(), tags: json<unknown>().default({ list: [] }) });
const meta = metaOf(notes);

test("what an app does to an object after it has given it does not reach the row", () => {
  const tags = { list: ["a"] };
  const row = completeInsert(meta, { id: "n", tags }, () => "n");
  tags.list.push("b");
  expect(row["tags"]).toEqual({ list: ["a"] });
  const updated = mergeUpdate(meta, row, { tags });
  tags.list.push("c");
  expect(updated["tags"]).toEqual({ list: ["a", "b"] });
});

test("an object that was changed in place and is given again is a change", () => {
  const tags = { list: ["a"] };
  const row = completeInsert(meta, { id: "n", tags }, () => "n");
  tags.list.push("b");
  expect(mergeUpdate(meta, row, { tags })).not.toBe(row);
});

test("rows do not share a default", () => {
  const [one, other] = ["a", "b"].map((rowID) => completeInsert(meta, { id: rowID }, () => rowID));
  expect(one?.["tags"]).toEqual(other?.["tags"]);
  expect(one?.["tags"]).not.toBe(other?.["tags"]);
});
