import { expect, test } from "vitest";
import { bigint, blob, boolean, crdtCounter, id, int, json, ref, text, timestamp } from "../../core/schema/column.ts";
import { metaOf, table } from "../../core/schema/table.ts";
import { createRowFit } from "./stored-row.ts";

const notes = metaOf(table("notes", { id: id(), title: text(), due: timestamp().nullable() }));

test("a row that fits is handed through", () => {
  for (const due of [null, 5]) {
    const row = { id: "n", title: "", due };
    expect(createRowFit(notes)(row)).toBe(row);
  }
});

test("columns that are gone are left out", () => {
  expect(createRowFit(notes)({ id: "n", title: "t", due: 1, mood: "x" })).toEqual({ id: "n", title: "t", due: 1 });
  expect(createRowFit(notes)({ id: "n", title: "t", mood: "x" })).toEqual({ id: "n", title: "t", due: null });
});

test("a new column has its default, else null, else the empty value of its kind", () => {
  const grown = metaOf(
    table("notes", {
      id: id(),
      state: text({ enum: ["open", "done"] }),
      label: text().nullable().default("new"),
      mood: text().nullable(),
      at: timestamp(),
      big: bigint(),
      done: boolean(),
      raw: blob(),
      tree: json(),
      votes: crdtCounter(),
      owner: ref(() => grownID),
    }),
  );
  expect(createRowFit(grown)({ id: "n" })).toEqual({
    id: "n",
    state: "open",
    label: "new",
    mood: null,
    at: 0,
    big: 0n,
    done: false,
    raw: new Uint8Array(),
    tree: {},
    votes: {},
    owner: "",
  });
});
const grownID = table("owners", { id: id() }).id;

test("a value of another type than the column's counts as absent", () => {
  const changed = metaOf(table("notes", { id: id(), title: int(), due: timestamp(), big: bigint().default(1n) }));
  expect(createRowFit(changed)({ id: "n", title: "t", due: null, big: 7 })).toEqual({
    id: "n",
    title: 0,
    due: 0,
    big: 1n,
  });
});
