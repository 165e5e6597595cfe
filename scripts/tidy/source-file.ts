// Owns: reading one source file into the facts that the rules judge. Strings and comments are never facts.
import { type ParserOptions, parseSync } from "rolldown/utils";

/** A syntax node, as far as the rules look at it. */
interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** Something found at a line. */
export interface Found {
  /** What was found, such as a dotted name. */
  readonly text: string;
  /** 1-based. */
  readonly line: number;
}

export interface FoundFunction {
  readonly name: string;
  readonly line: number;
  readonly lineCount: number;
  readonly paramCount: number;
  readonly isConstructor: boolean;
}

/** The facts of one file. `path` is relative to the repository, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly lineCount: number;
  /** Module specifiers: static, dynamic, re-exports, `import type` and `import("…")` types. */
  readonly imports: readonly Found[];
  readonly functions: readonly FoundFunction[];
  /** Names that are read: `indexedDB`, `Date.now`, `D1Database`. A leading `globalThis.` is taken off. */
  readonly names: readonly Found[];
  /** Callees of calls: `fetch`. */
  readonly calls: readonly Found[];
  /** Callees of `new`: `WebSocket`; with no arguments `Date()`. */
  readonly news: readonly Found[];
  readonly emptyCatches: readonly Found[];
  /** `export *` and `export default`. */
  readonly exports: readonly Found[];
}

type Draft = { -readonly [K in keyof SourceFile]: SourceFile[K] extends readonly (infer T)[] ? T[] : SourceFile[K] };

interface Visit {
  readonly draft: Draft;
  readonly lineOf: (offset: number) => number;
  readonly hasCommentIn: (node: SyntaxNode) => boolean;
}

/** Parses a file. Throws when it is not TypeScript. */
export function parseSourceFile(path: string, text: string): SourceFile {
  const lang = path.endsWith("x") ? "tsx" : "ts";
  const result = parseSync(path, text, { lang, sourceType: "module" } satisfies ParserOptions);
  const [syntaxError] = result.errors;
  if (syntaxError !== undefined) throw new SyntaxError(`${path}: ${syntaxError.message}`);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineCount = text.endsWith("\n") ? lineStarts.length - 1 : lineStarts.length;
  const draft: Draft = {
    path,
    lineCount,
    imports: [],
    functions: [],
    names: [],
    calls: [],
    news: [],
    emptyCatches: [],
    exports: [],
  };
  const hasCommentIn = (node: SyntaxNode) =>
    result.comments.some((comment) => comment.start >= node.start && comment.end <= node.end);
  const lineOf = (offset: number) => lineStarts.findLastIndex((start) => start <= offset) + 1;
  walk(result.program as unknown as SyntaxNode, [], { draft, lineOf, hasCommentIn });
  return draft;
}

/** Depth first. `parents` ends with the node's parent. */
function walk(node: SyntaxNode, parents: readonly SyntaxNode[], visit: Visit): void {
  recordImport(node, visit);
  recordFunction(node, parents, visit);
  recordName(node, parents, visit);
  recordCall(node, visit);
  recordEmptyCatch(node, visit);
  recordExport(node, visit);
  const path = [...parents, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, path, visit);
  }
}

function recordImport(node: SyntaxNode, { draft, lineOf }: Visit): void {
  const imports = [
    "ImportDeclaration",
    "ExportNamedDeclaration",
    "ExportAllDeclaration",
    "ImportExpression",
    "TSImportType",
  ];
  if (!imports.includes(node.type)) return;
  const source = node["source"];
  if (isNode(source) && typeof source["value"] === "string") {
    draft.imports.push({ text: source["value"], line: lineOf(node.start) });
  }
}

function recordFunction(node: SyntaxNode, parents: readonly SyntaxNode[], { draft, lineOf }: Visit): void {
  if (!["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"].includes(node.type)) return;
  if (!isNode(node["body"])) return; // An overload or a declaration.
  const holder = parents.at(-1);
  const params = (node["params"] as SyntaxNode[]).filter((param) => param["name"] !== "this");
  const named = [node["id"], holder?.["id"], holder?.["key"]].find(isNode);
  draft.functions.push({
    name: typeof named?.["name"] === "string" ? named["name"] : "(anonymous)",
    line: lineOf(node.start),
    lineCount: lineOf(node.end) - lineOf(node.start) + 1,
    paramCount: params.length,
    isConstructor: holder?.["kind"] === "constructor",
  });
}

function recordName(node: SyntaxNode, parents: readonly SyntaxNode[], { draft, lineOf }: Visit): void {
  const parent = parents.at(-1);
  const name = dottedName(node);
  if (parent === undefined || name === undefined || !isReference(node, parent, parents.at(-2))) return;
  draft.names.push({ text: name, line: lineOf(node.start) });
}

/** Whether a name at this place reads a value or a type, rather than declares or labels one. */
function isReference(node: SyntaxNode, parent: SyntaxNode, grandparent: SyntaxNode | undefined): boolean {
  if (parent.type === "MemberExpression" && parent["computed"] !== true) return parent["object"] === node;
  if (parent.type === "TSQualifiedName") return parent["left"] === node;
  if (/^(Import|Export)\w*Specifier$/.test(parent.type)) return false;
  if (parent["id"] === node || parent.type === "TSTypeParameter") return false;
  const labels = ["Property", "PropertyDefinition", "MethodDefinition", "TSPropertySignature", "TSMethodSignature"];
  if (labels.includes(parent.type) && parent["key"] === node && parent["computed"] !== true) {
    return parent["shorthand"] === true && grandparent?.type === "ObjectExpression";
  }
  return true;
}

function recordCall(node: SyntaxNode, { draft, lineOf }: Visit): void {
  if (node.type !== "CallExpression" && node.type !== "NewExpression") return;
  const callee = dottedName(node["callee"]);
  if (callee === undefined) return;
  const line = lineOf(node.start);
  if (node.type === "CallExpression") draft.calls.push({ text: callee, line });
  else draft.news.push({ text: (node["arguments"] as unknown[]).length === 0 ? `${callee}()` : callee, line });
}

/** `catch {}`, and `.catch(() => {})` without a word of why. */
function recordEmptyCatch(node: SyntaxNode, { draft, lineOf, hasCommentIn }: Visit): void {
  if (node.type === "CatchClause" && isEmptyBlock(node["body"])) {
    draft.emptyCatches.push({ text: "catch {}", line: lineOf(node.start) });
  }
  if (node.type !== "CallExpression" || !isNode(node["callee"])) return;
  const { property } = node["callee"];
  const [handler] = node["arguments"] as unknown[];
  if (!isNode(property) || property["name"] !== "catch" || !isNode(handler)) return;
  if (isEmptyBlock(handler["body"]) && !hasCommentIn(handler)) {
    draft.emptyCatches.push({ text: ".catch(() => {})", line: lineOf(handler.start) });
  }
}

function recordExport(node: SyntaxNode, { draft, lineOf }: Visit): void {
  if (node.type === "ExportAllDeclaration") draft.exports.push({ text: "export *", line: lineOf(node.start) });
  if (node.type === "ExportDefaultDeclaration")
    draft.exports.push({ text: "export default", line: lineOf(node.start) });
}

/** `a.b.c` of plain member reads, without a leading global object; undefined for anything else. */
function dottedName(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Identifier") return node["name"] as string;
  if (node.type !== "MemberExpression" || node["computed"] === true) return undefined;
  const object = dottedName(node["object"]);
  const property = dottedName(node["property"]);
  if (object === undefined || property === undefined) return undefined;
  return ["globalThis", "window", "self"].includes(object) ? property : `${object}.${property}`;
}

function isEmptyBlock(node: unknown): boolean {
  return isNode(node) && node.type === "BlockStatement" && (node["body"] as unknown[]).length === 0;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}
