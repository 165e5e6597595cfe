// Owns: what travels comes back as it was, and what does not fit is refused with an error that says where.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPlasmaError } from "../error.ts";
import {
  bigint,
  blob,
  boolean,
  crdtCounter,
  crdtLwwRegister,
  crdtOrSet,
  crdtPnCounter,
  id,
  int,
  json,
  real,
  ref,
  text,
  timestamp,
} from "../schema/column.ts";
import { file } from "../schema/file-column.ts";
import { metaOf, table } from "../schema/table.ts";
import { decodeRow, encodeRow } from "../schema/wire-row.ts";
import { parsePullRequest, parsePullResponse } from "./pull.ts";
import { parsePushRequest, parsePushResponse } from "./push.ts";
import { checkArgsSize, decodeTagged, encodeTagged } from "./tagged-json.ts";

const storable = fc.string({ unit: "grapheme" }).filter((value) => value.isWellFormed() && !value.includes("\0"));
const wire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("tagged args", () => {
  const keys = fc.oneof(
    storable,
    fc.constantFrom("$bigint", "$bytes", "$file", "$$x", "$", "__proto__", "constructor"),
  );
  const leaf = fc.oneof(
    storable,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(),
    fc.uint8Array(),
  );
  const { args } = fc.letrec((tie) => ({
    args: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("args"), { maxLength: 4 }),
      fc.dictionary(keys, tie("args"), { maxKeys: 4 }),
    ),
  }));

  test("come back as they were, through JSON", () => {
    fc.assert(
      fc.property(args, (value) => {
        // JSON has one zero.
        const plain = (item: unknown): unknown => (Object.is(item, -0) ? 0 : item);
        const back = decodeTagged(wire(encodeTagged(value, "m")));
        expect(plainDeep(back, plain)).toEqual(plainDeep(value, plain));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["NaN", { a: [1, Number.NaN] }, "args.a.1"],
    ["infinity", { a: Infinity }, "args.a"],
    ["a function", { f: () => 1 }, "args.f"],
    ["a date", { at: new Date(0) }, "args.at"],
    ["a map", { m: new Map() }, "args.m"],
    ["undefined in an array", [undefined], "args.0"],
    ["a lone surrogate", { s: "\ud800" }, "args.s"],
    ["U+0000", { s: "a\0b" }, "args.s"],
    ["a symbol", { s: Symbol("s") }, "args.s"],
  ])("refuse %s with its place", (_what, value, path) => {
    expect(() => encodeTagged(value, "addTodo")).toThrow(`at ${path}`);
    expect(() => encodeTagged(value, "addTodo")).toThrow("addTodo");
  });

  test("refuse cycles, and more than 512 KiB", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => encodeTagged(cycle, "m")).toThrow("cycle");
    expect(() => checkArgsSize("x".repeat(512 * 1024), "m")).toThrow("mutation/args-size");
    expect(() => checkArgsSize("x".repeat(512 * 1024 - 2), "m")).not.toThrow();
  });

  test("of anybody throw nothing but protocol/field", () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => onlyPlasmaErrors(() => decodeTagged(value))));
    for (const forged of [
      { $bigint: "1e5" },
      { $bytes: "!" },
      { $file: {} },
      { $other: 1 },
      { $bigint: "1", more: 1 },
    ]) {
      expect(() => decodeTagged(forged)).toThrow("protocol/field");
    }
  });
});

describe("rows", () => {
  const target = table("target", { id: id() });
  const counter = fc.dictionary(storable, fc.nat(), { maxKeys: 3 });
  const meta = metaOf(
    table("t", {
      id: id(),
      text: text().nullable(),
      int: int(),
      real: real(),
      at: timestamp(),
      big: bigint().nullable(),
      flag: boolean(),
      bytes: blob().nullable(),
      any: json().nullable(),
      ref: ref(() => target.id).nullable(),
      file: file().nullable(),
      counter: crdtCounter(),
      pn: crdtPnCounter(),
      lww: crdtLwwRegister(),
      set: crdtOrSet(),
      sealed: text().encrypted().nullable(),
    }),
  );
  const row = fc.record({
    id: storable.filter((value) => value !== "" && value.length < 200),
    text: fc.option(storable),
    int: fc.maxSafeInteger(),
    real: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    at: fc.maxSafeNat(),
    big: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    flag: fc.boolean(),
    bytes: fc.option(fc.uint8Array()),
    any: fc.option(fc.dictionary(fc.constantFrom("a", "b"), fc.oneof(storable, fc.integer(), fc.constant(null)))),
    ref: fc.option(storable),
    file: fc.option(fc.record({ hash: fc.constant("0f".repeat(32)), size: fc.nat(), mime: storable, name: storable })),
    counter,
    pn: fc.record({ p: counter, n: counter }),
    lww: fc.record({ value: fc.oneof(storable, fc.integer()), at: fc.nat(), by: storable }, { requiredKeys: [] }),
    set: fc.record({
      adds: fc.dictionary(storable, fc.oneof(storable, fc.integer()), { maxKeys: 3 }),
      removes: fc.dictionary(storable, fc.constant(true), { maxKeys: 3 }),
    }),
    sealed: fc.option(storable),
  });

  test("come back as they were, through JSON", () => {
    fc.assert(
      fc.property(row, (value) => {
        const back = decodeRow(meta, wire(encodeRow(meta, value)) as { [column: string]: unknown });
        expect(plainDeep(back, (item) => item)).toEqual(plainDeep(value, (item) => item));
      }),
      { numRuns: 500 },
    );
  });

  test("of a server that knows fewer columns have those at null or their default, and lose columns unknown here", () => {
    const older = metaOf(table("t", { id: id(), text: text().nullable(), state: text({ enum: ["a"] }).default("a") }));
    expect(decodeRow(older, { id: "x", more: 1 })).toEqual({ id: "x", text: null, state: "a" });
    expect(decodeRow(older, { id: "x", state: "of a newer enum" })).toEqual({
      id: "x",
      text: null,
      state: "of a newer enum",
    });
    expect(() => decodeRow(metaOf(table("t", { id: id(), text: text() })), { id: "x" })).toThrow("t.text");
  });

  test("of any server throw nothing but protocol/field, which names the column and not the value", () => {
    const sample = encodeRow(meta, {
      id: "a",
      text: null,
      int: 1,
      real: 1,
      at: 1,
      big: null,
      flag: true,
      bytes: null,
      any: null,
      counter: {},
      pn: { p: {}, n: {} },
      lww: {},
      set: { adds: {}, removes: {} },
    });
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(sample)), fc.jsonValue(), (column, value) =>
        onlyPlasmaErrors(() => decodeRow(meta, { ...sample, [column]: value })),
      ),
      { numRuns: 500 },
    );
    expect(() => decodeRow(meta, { ...sample, int: "secret" })).toThrow(/"t\.int"/);
    expect(() => decodeRow(meta, { ...sample, int: "secret" })).not.toThrow(/secret/);
  });
});

test("parsers of requests and answers throw nothing but PlasmaErrors, whatever they are given", () => {
  // Keys that JavaScript itself asks objects for.
  const hostile = fc.dictionary(fc.constantFrom("toString", "valueOf", "__proto__", "toJSON"), fc.jsonValue());
  const shape = fc.record(
    {
      protocolVersion: fc.oneof(fc.constant(1), fc.jsonValue()),
      schemaVersion: fc.oneof(fc.constant("1"), fc.jsonValue()),
      clientGroupID: fc.oneof(fc.constant("g"), fc.jsonValue()),
      clientID: fc.oneof(fc.constant("c"), fc.jsonValue()),
      mutations: fc.oneof(
        fc.array(fc.record({ id: fc.jsonValue(), name: fc.jsonValue(), timestamp: fc.jsonValue() })),
        fc.jsonValue(),
      ),
      ok: fc.constant(true),
      results: fc.oneof(
        fc.array(
          fc.record({
            clientID: fc.constant("c"),
            id: fc.nat(),
            status: fc.constant("rejected"),
            error: fc.record({ code: fc.constant("x"), message: hostile }),
          }),
        ),
        fc.jsonValue(),
      ),
      rejected: fc.array(
        fc.record({ clientID: fc.constant("c"), id: fc.nat(), code: fc.constant("x"), message: hostile }),
      ),
      cookie: fc.oneof(fc.constant("c1:x"), fc.jsonValue()),
      patch: fc.oneof(
        fc.array(
          fc.record({ op: fc.constantFrom("put", "del", "clear", 1), table: fc.jsonValue(), id: fc.jsonValue() }),
        ),
        fc.jsonValue(),
      ),
      lastMutationIDs: fc.oneof(fc.constant({ c: 1 }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(shape, fc.jsonValue()), (json) => {
      for (const parse of [parsePushRequest, parsePushResponse, parsePullResponse]) onlyPlasmaErrors(() => parse(json));
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("protocolVersion", "limit", "cookie", "clientID"), fc.string()),
      (query) => {
        onlyPlasmaErrors(() => parsePullRequest(new URLSearchParams(query)));
      },
    ),
  );
});

function onlyPlasmaErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(isPlasmaError(error), String(error)).toBe(true);
  }
}

/** Plain objects and arrays all the way down, so that prototypes do not matter to the comparison. */
function plainDeep(value: unknown, leaf: (item: unknown) => unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map((item) => plainDeep(item, leaf));
  if (typeof value !== "object" || value === null) return leaf(value);
  return Object.entries(value)
    .map(([key, item]) => [key, plainDeep(item, leaf)])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}
