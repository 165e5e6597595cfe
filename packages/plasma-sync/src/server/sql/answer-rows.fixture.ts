// Owns: the few rows that answers of SQL are compared over: nulls, edges of every kind, keys that lead nowhere.

import { metaOf } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { thing, wide } from "../database/server-database.fixture.ts";

export const bytes = (...list: number[]) => new Uint8Array(list);
const deep = { a: [1, 2.5, null, { b: 'ä\u{1f600}"\\\n', c: [] }], d: {}, e: true, g: 1e21 };

export const answerRows: ReadonlyMap<string, readonly Row[]> = new Map([
  [
    "users",
    [
      { id: "u1", name: "Ann", email: "ann@x" },
      { id: "u2", name: "ben", email: null },
      { id: "u3", name: "Ben", email: "ben@x" },
      { id: "\u{1f600}", name: "\u{1f600}", email: null },
      { id: "\uffff", name: "", email: "" },
    ],
  ],
  [
    "todos",
    [
      { id: "t1", title: "a", rank: 3, ownerId: "u1" },
      { id: "t2", title: "b", rank: 1, ownerId: "u1" },
      { id: "t3", title: "c", rank: 2, ownerId: "u1" },
      { id: "t4", title: "a", rank: 2, ownerId: "u2" },
      { id: "t5", title: "B", rank: 2, ownerId: "u9" },
      { id: "t6", title: "\u{1f600}", rank: -1, ownerId: "\u{1f600}" },
    ],
  ],
  [
    "things",
    [
      thing({
        id: "a",
        text: "x",
        int: 1,
        real: 0.1,
        big: 2n ** 62n,
        flag: true,
        bytes: bytes(0, 255),
        parentId: "u1",
      }),
      thing({
        id: "b",
        text: "x",
        int: 2,
        real: 1 / 3,
        big: -(2n ** 62n),
        flag: false,
        bytes: bytes(),
        parentId: "u1",
      }),
      thing({ id: "c", text: "X", int: null, real: 2 ** 60, big: 2n ** 53n + 1n, flag: true, bytes: bytes(0), at: 5 }),
      thing({ id: "d", text: null, int: 2, real: null, big: null, flag: null, data: deep, parentId: "u2", at: -1 }),
      thing({ id: "e", text: "é_%\\", int: 2 ** 53 - 1, real: -5e-324, big: 0n, flag: false, data: "text", at: 5 }),
      thing({ id: "f", text: "", int: -(2 ** 53) + 1, real: 1e300, big: 1n, data: [], parentId: "u9" }),
    ],
  ],
  ["wide", ["w1", "w2"].map((id, n) => wideRow(id, n))],
]);

function wideRow(id: string, n: number): Row {
  const cells = metaOf(wide).columns.map(({ def }, i) => {
    if (def.kind === "id") return [def.name, id];
    if ((i + n) % 3 === 0) return [def.name, null];
    return [def.name, def.kind === "bigint" ? 2n ** 60n + BigInt(i) : i + n];
  });
  return Object.fromEntries(cells) as Row;
}
