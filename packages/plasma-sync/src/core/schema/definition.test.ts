import { expect, test } from "vitest";
import { isPlasmaError, type PlasmaErrorCode } from "../error.ts";
import { bigint, boolean, crdtCounter, id, int, json, real, ref, text, timestamp, type AnyColumn } from "./column.ts";
import { file } from "./file-column.ts";
import { defineSchema } from "./schema.ts";
import { table } from "./table.ts";

const users = table("users", { id: id(), name: text() });

/** Each definition, the code that refuses it, and words that its message must hold. */
const refused: readonly [what: string, define: () => unknown, code: PlasmaErrorCode, words: readonly string[]][] = [
  ["a table name with a space", () => table("my todos", { id: id() }), "schema/name", ["my todos"]],
  ["a reserved table name", () => table("_plasma_x", { id: id() }), "schema/name", ["_plasma_x"]],
  ["a reserved name in capitals", () => table("_Plasma_x", { id: id() }), "schema/name", ["_Plasma_x"]],
  ["a column name that begins with a digit", () => table("t", { id: id(), "1st": int() }), "schema/name", ["1st"]],
  [
    "two columns that differ in case only",
    () => table("t", { id: id(), name: text(), Name: text() }),
    "schema/duplicate",
    ["t.Name"],
  ],
  ["no id column", () => table("t", { name: text() }), "schema/id-column", ['"t"', "id: id()"]],
  ["an id column of another name", () => table("t", { key: id() }), "schema/id-column", ["key"]],
  ["two id columns", () => table("t", { id: id(), other: id() }), "schema/id-column", ["id, other"]],
  [
    "something that is no column",
    () => table("t", { id: id(), x: "text" as unknown as AnyColumn }),
    "schema/not-a-column",
    ['"x"'],
  ],
  [
    "a default of the wrong type",
    () => table("t", { id: id(), n: int().default("1" as unknown as number) }),
    "schema/default",
    ["t.n", "whole number"],
  ],
  [
    "a default that is not among the values",
    () => table("t", { id: id(), s: text({ enum: ["a", "b"] }).default("c" as "a") }),
    "schema/default",
    ["t.s", "a, b"],
  ],
  [
    "a default of null where null may not be",
    () => table("t", { id: id(), n: real().default(null as unknown as number) }),
    "schema/default",
    ["t.n"],
  ],
  [
    "a default of a bigint beyond 64 bits",
    () => table("t", { id: id(), n: bigint().default(2n ** 63n) }),
    "schema/default",
    ["t.n"],
  ],
  ["a unique json column", () => table("t", { id: id(), j: json().unique() }), "schema/modifier", ["t.j", "unique"]],
  ["a unique CRDT column", () => table("t", { id: id(), c: crdtCounter().unique() }), "schema/modifier", ["t.c"]],
  [
    "a unique encrypted column",
    () => table("t", { id: id(), s: text().unique().encrypted() }),
    "schema/modifier",
    ["t.s", "encrypted"],
  ],
  ["an encrypted ref", () => table("t", { id: id(), u: ref(() => users.id).encrypted() }), "schema/modifier", ["t.u"]],
  ["a nullable id", () => table("t", { id: id().nullable() }), "schema/modifier", ["t.id"]],
  [
    "setNull on a ref that is not nullable",
    () => table("t", { id: id(), u: ref(() => users.id, { onDelete: "setNull" }) }),
    "schema/modifier",
    ["t.u", "nullable()"],
  ],
  ...["__proto__", "constructor", "toString", "hasOwnProperty"].flatMap((name): typeof refused => [
    [`a column named ${name}`, () => table("t", { id: id(), [name]: int() }), "schema/name", [name]],
    [`a table named ${name}`, () => table(name, { id: id() }), "schema/name", [name]],
  ]),
  ["a name with a newline", () => table("t\n", { id: id() }), "schema/name", ["t"]],
  ["an encrypted id", () => table("t", { id: id().encrypted() }), "schema/modifier", ["t.id", "encrypted"]],
  [
    "an encrypted CRDT column",
    () => table("t", { id: id(), c: crdtCounter().encrypted() }),
    "schema/modifier",
    ["t.c"],
  ],
  ["a unique id", () => table("t", { id: id().unique() }), "schema/modifier", ["t.id"]],
  ["an id with a default", () => table("t", { id: id().default("x") }), "schema/modifier", ["t.id", "newId"]],
  ["a unique file column", () => table("t", { id: id(), f: file().unique() }), "schema/modifier", ["t.f"]],
  [
    "a maxSize of 0",
    () => table("t", { id: id(), f: file({ maxSize: 0 }) }),
    "schema/file-option",
    ["t.f", "maxSize", "above 0"],
  ],
  [
    "a maxSize that is no whole number",
    () => table("t", { id: id(), f: file({ maxSize: 1.5 }) }),
    "schema/file-option",
    [],
  ],
  [
    "an empty list of types",
    () => table("t", { id: id(), f: file({ mimeAllowList: [] }) }),
    "schema/file-option",
    ["mimeAllowList", "image/*"],
  ],
  [
    "a type that could match nothing",
    () => table("t", { id: id(), f: file({ mimeAllowList: ["image/png", "Image/*"] }) }),
    "schema/file-option",
    ["mimeAllowList"],
  ],
  [
    "an inlineThreshold above the bound",
    () => table("t", { id: id(), f: file({ inlineThreshold: 65_537 }) }),
    "schema/file-option",
    ["inlineThreshold", "65536"],
  ],
  [
    "automatic uploads",
    () => table("t", { id: id(), f: file({ upload: "auto" as "proxy" }) }),
    "schema/file-upload",
    ["auto", "proxy"],
  ],
  [
    "presigned uploads",
    () => table("t", { id: id(), f: file({ upload: "presigned" as "proxy" }) }),
    "schema/file-upload",
    ["presigned"],
  ],
  [
    "an index on a json column",
    () => table("t", { id: id(), j: json() }, { indexes: (t) => [[t.j]] }),
    "schema/index",
    ['"j"'],
  ],
  [
    "an index on a CRDT column",
    () => table("t", { id: id(), c: crdtCounter() }, { indexes: (t) => [[t.c]] }),
    "schema/index",
    ['"c"'],
  ],
  [
    "an index on an encrypted column",
    () => table("t", { id: id(), s: text().encrypted() }, { unique: (t) => [[t.s]] }),
    "schema/index",
    ['"s"'],
  ],
  [
    "an index on a column of another table",
    () => table("t", { id: id() }, { indexes: () => [[users.name]] }),
    "schema/index",
    ['"name"'],
  ],
  ["a key that is not the table's name", () => defineSchema({ people: users }), "schema/key", ["people", "users"]],
  ["something that is no table", () => defineSchema({ users: {} as typeof users }), "schema/not-a-table", ['"users"']],
  [
    "two tables that differ in case only",
    () => defineSchema({ users, Users: table("Users", { id: id() }) }),
    "schema/duplicate",
    ["Users"],
  ],
  [
    "a ref to a table outside the schema",
    () => defineSchema({ t: table("t", { id: id(), u: ref(() => users.id) }) }),
    "schema/ref-target",
    ["t.u", "users"],
  ],
  [
    "a ref to a column that is no id",
    () => defineSchema({ users, t: table("t", { id: id(), u: ref(() => users.name) }) }),
    "schema/ref-target",
    ["t.u", "users.name"],
  ],
  [
    "a ref of a synced table by which a delete in a local-only one would take rows along",
    () => {
      const local = table("local", { id: id() }, { changeLogSuppressed: true });
      return defineSchema({ local, t: table("t", { id: id(), l: ref(() => local.id, { onDelete: "cascade" }) }) });
    },
    "schema/modifier",
    ["t.l", "local-only"],
  ],
  [
    "a ref of a local-only table that would forbid a delete in a synced one",
    () => {
      const columns = { id: id(), u: ref(() => users.id, { onDelete: "restrict" as const }) };
      return defineSchema({ users, local: table("local", columns, { changeLogSuppressed: true }) });
    },
    "schema/modifier",
    ["local.u", "restrict"],
  ],
];

test.each(refused)("%s is refused when it is defined", (_what, define, code, words) => {
  let error: unknown = null;
  try {
    define();
  } catch (thrown) {
    error = thrown;
  }
  expect(isPlasmaError(error, code), String(error)).toBe(true);
  for (const word of words) expect(String(error)).toContain(word);
});

test("modifiers are pure, and every kind takes a default of its own type", () => {
  const plain = text();
  const changed = plain.nullable().default("x").unique();
  expect([plain.def.notNull, plain.def.default, plain.def.unique]).toEqual([true, undefined, false]);
  expect([changed.def.notNull, changed.def.default, changed.def.unique]).toEqual([false, { value: "x" }, true]);
  const all = table("all_kinds", {
    id: id(),
    a: int().default(1),
    b: real().default(0.5),
    c: timestamp().default(0),
    d: bigint().default(-(2n ** 63n)),
    e: boolean().default(false),
    f: json<{ x: number }>().default({ x: 1 }),
    g: text({ enum: ["a", "b"] }).default("a"),
    h: ref(() => users.id, { onDelete: "setNull" }).nullable(),
    i: crdtCounter(),
  });
  expect(() => defineSchema({ users, all_kinds: all })).not.toThrow();
});

test("a ref's function is not called before defineSchema, so that tables may name each other", () => {
  let calls = 0;
  const target = (): AnyColumn => {
    calls += 1;
    return later.id;
  };
  const first = table("first", {
    id: id(),
    next: ref(target, { onDelete: "cascade" }),
    self: ref((): AnyColumn => first.id),
  });
  const later = table("later", { id: id(), back: ref(() => first.id) });
  expect(calls).toBe(0);
  expect(defineSchema({ first, later }).referencesByParent.get("later")).toEqual([
    { child: "first", column: "next", parent: "later", onDelete: "cascade" },
  ]);
});
