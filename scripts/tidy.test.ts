// Every house rule, broken once and kept once.
import { describe, expect, test } from "vitest";
import { FILE_LINES_MAX, findProblems, FUNCTION_LINES_MAX } from "./tidy/rules.ts";

const SRC = "packages/plasma-sync/src/";

/** The rules that a file at a place of the library breaks. */
function rulesOf(place: string, text: string): string[] {
  return rulesOfFiles({ [SRC + place]: text });
}

function rulesOfFiles(textsByPath: Record<string, string>): string[] {
  const files = Object.entries(textsByPath).map(([path, text]) => ({ path, text }));
  return [...new Set(findProblems(files).map((problem) => problem.rule))];
}

describe("imports", () => {
  test("a room imports only the rooms below it", () => {
    expect(rulesOf("core/a.ts", `import { b } from "../client/b.ts";`)).toEqual(["import-direction"]);
    expect(rulesOf("client/a.ts", `import { b } from "../server/b.ts";`)).toEqual(["import-direction"]);
    expect(rulesOf("server/a.ts", `import type { B } from "../client/b.ts";`)).toEqual(["import-direction"]);
    expect(rulesOf("server/a.ts", `export { b } from "../react/b.ts";`)).toEqual(["import-direction"]);
    expect(rulesOf("core/a.ts", `type B = import("../server/b.ts").B;`)).toEqual(["import-direction"]);
    expect(rulesOf("core/a.ts", `const b = await import("../server/b.ts");`)).toEqual(["import-direction"]);
    expect(rulesOf("react/a.tsx", `import { b } from "../client/b.ts"; import { c } from "../core/c.ts";`)).toEqual([]);
    expect(rulesOf("testing/a.ts", `import { b } from "../client/b.ts"; import { c } from "../server/c.ts";`)).toEqual(
      [],
    );
  });

  test("tests obey the direction too", () => {
    expect(rulesOf("client/a.test.ts", `import { b } from "../server/b.ts";`)).toEqual(["import-direction"]);
  });

  test("a file does not import the entry of its own room, and its test may", () => {
    expect(rulesOf("server/sync/a.ts", `import { b } from "../index.ts";`)).toEqual(["import-entry"]);
    expect(rulesOf("server/a.test.ts", `import { b } from "./index.ts";`)).toEqual([]);
    expect(rulesOf("server/a.ts", `import { b } from "../core/index.ts";`)).toEqual([]);
  });

  test("the library neither leaves its folder nor imports itself by name", () => {
    expect(rulesOf("core/a.ts", `import { b } from "../../../other/b.ts";`)).toEqual(["import-outside"]);
    expect(rulesOf("client/a.ts", `import { b } from "plasma-sync/core";`)).toEqual(["import-self"]);
  });

  test("an unknown room is refused", () => {
    expect(rulesOf("shared/a.ts", "export const a = 1;")).toEqual(["room"]);
  });

  test("packages are imported where they belong", () => {
    expect(rulesOf("react/a.ts", `import { useMemo } from "react";`)).toEqual([]);
    expect(rulesOf("client/a.ts", `import { useMemo } from "react";`)).toEqual(["package-import"]);
    expect(rulesOf("server/sync/a.ts", `import { sha256 } from "@noble/hashes/sha2.js";`)).toEqual([]);
    expect(rulesOf("core/a.ts", `import { sha256 } from "@noble/hashes/sha2.js";`)).toEqual(["package-import"]);
    expect(rulesOf("core/a.ts", `import { x } from "left-pad";`)).toEqual(["package-import"]);
    expect(rulesOf("core/a.test.ts", `import { test } from "vitest";`)).toEqual([]);
  });

  test("node: modules belong to server/node and files named for Node", () => {
    expect(rulesOf("server/sync/a.ts", `import { readFile } from "node:fs";`)).toEqual(["node-import"]);
    expect(rulesOf("server/node/a.ts", `import { readFile } from "node:fs";`)).toEqual([]);
    expect(rulesOf("server/database/from-node-sqlite.ts", `import { DatabaseSync } from "node:sqlite";`)).toEqual([]);
    expect(rulesOf("server/database/nodes.ts", `import { DatabaseSync } from "node:sqlite";`)).toEqual(["node-import"]);
  });

  test("a cycle is found, also one of types alone, and a diamond is none", () => {
    const a = `import type { B } from "./b.ts"; export type A = B;`;
    expect(
      rulesOfFiles({ "scripts/a.ts": a, "scripts/b.ts": `import type { A } from "./a.ts"; export type B = A;` }),
    ).toEqual(["import-cycle"]);
    expect(rulesOfFiles({ "scripts/a.ts": `export { a } from "./a.ts";` })).toEqual(["import-cycle"]);
    expect(
      rulesOfFiles({
        "scripts/a.ts": `import "./b.ts"; import "./c.ts";`,
        "scripts/b.ts": `import "./d.ts";`,
        "scripts/c.ts": `import "./d.ts";`,
        "scripts/d.ts": "export const d = 1;",
      }),
    ).toEqual([]);
  });
});

describe("platform words", () => {
  const cases: [word: string, home: string, code: string][] = [
    ["indexedDB", "client/store/a.ts", "indexedDB.open('x');"],
    ["globalThis.indexedDB", "client/store/a.ts", "const db = globalThis.indexedDB;"],
    ["fetch()", "client/transport/a.ts", "await fetch('/');"],
    ["globalThis.fetch()", "client/transport/a.ts", "await globalThis.fetch('/');"],
    ["new WebSocket", "client/transport/a.ts", "new WebSocket('ws://a');"],
    ["WebSocketPair", "server/cloudflare/a.ts", "new WebSocketPair();"],
    ["D1Database", "server/database/a.ts", "function f(db: D1Database) { return db; }"],
    ["R2Bucket", "server/blob/a.ts", "type B = { bucket: R2Bucket };"],
    ["DurableObject", "server/cloudflare/a.ts", "class A extends DurableObject {}"],
    ["BroadcastChannel", "client/tabs/a.ts", "new BroadcastChannel('x');"],
    ["sessionStorage", "client/tabs/a.ts", "sessionStorage.getItem('x');"],
    ["navigator.locks", "client/tabs/a.ts", "navigator.locks.request('x', f);"],
    ["process", "server/node/a.ts", "const home = process.env.HOME;"],
    ["Buffer", "server/node/a.ts", "Buffer.from('x');"],
    ["Date.now", "core/lib/env.ts", "const t = Date.now();"],
    ["Date.now as a value", "core/lib/env.ts", "const now = Date.now;"],
    ["new Date()", "core/lib/env.ts", "const t = new Date();"],
    ["setTimeout", "core/lib/env.ts", "setTimeout(f, 1);"],
    ["setInterval", "core/lib/env.ts", "setInterval(f, 1);"],
    ["setTimeout in an object", "core/lib/env.ts", "const timers = { setTimeout };"],
    ["Math.random", "core/lib/env.ts", "Math.random();"],
    ["crypto.randomUUID", "core/lib/env.ts", "globalThis.crypto.randomUUID();"],
    ["crypto.getRandomValues", "core/lib/env.ts", "crypto.getRandomValues(bytes);"],
    ["performance.now", "core/lib/env.ts", "performance.now();"],
  ];
  test.each(cases)("%s lives in its room alone", (_word, home, code) => {
    expect(rulesOf(home, code)).toEqual([]);
    expect(rulesOf("core/mutation/a.ts", code)).toEqual(["platform-word"]);
    expect(rulesOf("core/mutation/a.test.ts", code)).toEqual([]);
  });

  test("strings, comments, members, own declarations and conversions are no platform words", () => {
    const text = `
      // indexedDB, Date.now() and setTimeout
      const message = "indexedDB is not there; fetch('/') failed";
      interface Env { setTimeout(run: () => void, delayMs: number): number; now(): number }
      export function f(env: Env, handler: { fetch(request: Request): Promise<Response> }) {
        env.setTimeout(() => undefined, env.now());
        return [new Date(0), handler.fetch, handler.fetch(new Request(message))];
      }`;
    expect(rulesOf("core/a.ts", text)).toEqual([]);
    expect(rulesOf("server/index.ts", `export type { D1Like, D1Database } from "./database/from-d1.ts";`)).toEqual([]);
  });
});

describe("sizes", () => {
  const lines = (count: number) => "let x = 0;\n".repeat(count);

  test("a file has a bound, and a test has none", () => {
    expect(rulesOf("core/a.ts", lines(FILE_LINES_MAX))).toEqual([]);
    expect(rulesOf("core/a.ts", lines(FILE_LINES_MAX + 1))).toEqual(["file-size"]);
    expect(rulesOf("core/a.test.ts", lines(FILE_LINES_MAX + 1))).toEqual([]);
  });

  test("a function has a bound, whatever its form", () => {
    const body = (count: number) => `{\n${lines(count - 2)}}`;
    expect(rulesOf("core/a.ts", `function f() ${body(FUNCTION_LINES_MAX)}`)).toEqual([]);
    expect(rulesOf("core/a.ts", `function f() ${body(FUNCTION_LINES_MAX + 1)}`)).toEqual(["function-size"]);
    expect(rulesOf("core/a.ts", `const f = () => ${body(FUNCTION_LINES_MAX + 1)}`)).toEqual(["function-size"]);
    expect(rulesOf("core/a.ts", `class A { f() ${body(FUNCTION_LINES_MAX + 1)} }`)).toEqual(["function-size"]);
  });

  test("a function takes at most four parameters, a constructor and a this type aside", () => {
    expect(rulesOf("core/a.ts", "function f(a: 1, b: 1, c: 1, d: 1, e: 1) { return e; }")).toEqual(["params"]);
    expect(rulesOf("core/a.ts", "function f(this: 1, a: 1, b: 1, c: 1, d: 1) { return d; }")).toEqual([]);
    expect(rulesOf("core/a.ts", "class A { constructor(a: 1, b: 1, c: 1, d: 1, e: 1) { f(e); } }")).toEqual([]);
  });
});

describe("names", () => {
  test("file names are kebab-case", () => {
    expect(rulesOf("core/fooBar.ts", "")).toEqual(["file-name"]);
    expect(rulesOf("core/foo_bar.ts", "")).toEqual(["file-name"]);
    expect(rulesOf("core/foo-bar.fuzz.test.ts", "")).toEqual([]);
  });

  test.each(["utils", "helpers", "common", "misc", "manager", "service", "impl", "base", "types", "query-utils"])(
    "no file is called %s",
    (name) => {
      expect(rulesOf(`core/${name}.ts`, "")).toEqual(["forbidden-name"]);
      expect(rulesOf(`core/${name}.test.ts`, "")).toEqual(["forbidden-name"]);
    },
  );

  test("a forbidden word is allowed as a qualifier, never as a folder", () => {
    expect(rulesOf("client/replica/base-image.ts", "")).toEqual([]);
    expect(rulesOf("client/helpers/a.ts", "")).toEqual(["forbidden-name"]);
  });
});

describe("errors and exports", () => {
  test("the library throws no bare Error, and its tests may", () => {
    expect(rulesOf("core/a.ts", `throw new Error("no");`)).toEqual(["bare-error"]);
    expect(rulesOf("core/a.ts", `throw new Error();`)).toEqual(["bare-error"]);
    expect(rulesOf("core/a.ts", `throw Error("no");`)).toEqual(["bare-error"]);
    expect(rulesOf("core/a.ts", `throw new PlasmaError("bug/invariant", {}); class X extends Error {}`)).toEqual([]);
    expect(rulesOf("core/a.test.ts", `throw new Error("no");`)).toEqual([]);
  });

  test("no catch is empty", () => {
    expect(rulesOf("core/a.ts", "try { f(); } catch {}")).toEqual(["empty-catch"]);
    expect(rulesOf("core/a.ts", "try { f(); } catch (e) { /* why */ }")).toEqual(["empty-catch"]);
    expect(rulesOf("core/a.ts", "p.catch(() => {});")).toEqual(["empty-catch"]);
    expect(rulesOf("core/a.ts", "p.catch(() => { /* reported by onError already */ });")).toEqual([]);
    expect(rulesOf("core/a.ts", "try { f(); } catch (e) { report(e); }")).toEqual([]);
  });

  test("everything is exported by name", () => {
    expect(rulesOf("core/a.ts", `export * from "./b.ts";`)).toEqual(["export"]);
    expect(rulesOf("core/a.ts", `export * as b from "./b.ts";`)).toEqual(["export"]);
    expect(rulesOf("core/a.ts", "export default 1;")).toEqual(["export"]);
    expect(rulesOfFiles({ "examples/todo/vite.config.ts": "export default {};" })).toEqual([]);
  });
});

test("a file that does not parse is named", () => {
  expect(() => findProblems([{ path: "scripts/a.ts", text: "const = 1;" }])).toThrow("scripts/a.ts");
});
