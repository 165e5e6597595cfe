// Owns: hostile values, and breaking a JSON document at any place of it. Everything is drawn from a seed.

/** Choices from a seed: mulberry32, the same on every machine. */
export class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * count);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  list<T>(countMax: number, make: () => T): T[] {
    return Array.from({ length: this.below(countMax + 1) }, make);
  }
}

export const HOSTILE_KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "toJSON",
  "length",
  "$bigint",
  "$bytes",
  "$file",
  "$$x",
  "",
  "\0",
  "\ud800",
  "id ",
  "k".repeat(1000),
];

const HOSTILE_TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "\udc00x",
  "\u{10ffff}",
  "\u202e",
  "null",
  "'; DROP TABLE notes; --",
  '"',
  "\\",
  "%",
  "%00",
  "../../etc/passwd",
  "${1+1}",
  "<script>",
  "x".repeat(200),
  "x".repeat(201),
  "\u{1f600}".repeat(101),
  "x".repeat(5000),
  ...HOSTILE_KEYS,
];

const HOSTILE_NUMBERS = [0, -1, 1, 0.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 63, 1e308, 5e-324];

/** Stand for JSON text that no value stringifies to; `toJsonText` puts it in. */
const RAW: { readonly [marker: string]: string } = {
  "@raw:deep-arrays@": "[".repeat(50_000) + "]".repeat(50_000),
  "@raw:deep-objects@": '{"a":'.repeat(5000) + "1" + "}".repeat(5000),
  "@raw:depth-64@": "[".repeat(64) + "]".repeat(64),
  "@raw:depth-66@": "[".repeat(66) + "]".repeat(66),
  "@raw:infinite@": "1e999",
  "@raw:minus-zero@": "-0",
  "@raw:long-number@": "9".repeat(400),
  "@raw:precise@": "9007199254740993",
  "@raw:twice@": '{"id":"n1","id":"n2","id":null}',
  "@raw:proto@": '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  "@raw:surrogate@": '"\\ud800"',
  "@raw:nan@": "NaN",
  "@raw:nothing@": "",
  "@raw:comment@": "/* */ 1",
};

/** A value that its receiver did not hope for. */
export function hostileValue(choices: Choices): unknown {
  switch (choices.below(9)) {
    case 0:
      return choices.pick<unknown>([null, true, false, [], {}, [[]], [null], { a: {} }]);
    case 1:
      return choices.pick(HOSTILE_NUMBERS);
    case 2:
    case 3:
      return choices.pick(HOSTILE_TEXTS);
    case 4:
      return choices.pick(Object.keys(RAW));
    case 5:
      return choices.pick<unknown>([
        { $bigint: "1" },
        { $bigint: 1 },
        { $bigint: "9223372036854775808" },
        { $bigint: "-9223372036854775808" },
        { $bigint: "1".repeat(101) },
        { $bytes: "AAH/" },
        { $bytes: "!" },
        { $bytes: "AA" },
        { $file: {} },
        { $file: { hash: "0".repeat(64), size: 1, mime: "x" } },
        { $file: { hash: "0".repeat(64), size: -1, mime: "\0", name: "../x" } },
        { $$bigint: "1" },
        { $bigint: "1", $bytes: "" },
      ]);
    case 6:
      return { [choices.pick(HOSTILE_KEYS)]: choices.pick(HOSTILE_TEXTS) };
    case 7:
      return Array.from({ length: choices.pick([2, 300, 5000]) }, (_, i) => i);
    default:
      return Object.fromEntries(HOSTILE_KEYS.map((key, i) => [key, i]));
  }
}

type Container = { [key: string]: unknown } | unknown[];
const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null;

/** Breaks `document` in place, somewhere; returns how. */
export function breakJson(choices: Choices, document: Container): string {
  const containers: Container[] = [];
  const collect = (value: unknown): void => {
    if (!isContainer(value)) return;
    containers.push(value);
    for (const inner of Object.values(value)) collect(inner);
  };
  collect(document);
  const container = choices.pick(containers) as { [key: string]: unknown };
  const keys = Object.keys(container);
  const key = keys.length === 0 ? "0" : choices.pick(keys);
  const set = (name: string, value: unknown) =>
    Object.defineProperty(container, name, { value, enumerable: true, writable: true, configurable: true });
  const { [key]: value } = container;
  switch (choices.below(7)) {
    case 0:
      delete container[key];
      return `without ${key}`;
    case 1:
      set(key, [value]);
      return `${key} in a list`;
    case 2:
      set(key, { [key]: value });
      return `${key} in itself`;
    case 3:
      if (Array.isArray(container)) container.push(hostileValue(choices));
      else set(choices.pick(HOSTILE_KEYS), hostileValue(choices));
      return `with a hostile key beside ${key}`;
    case 4:
      set(
        key,
        typeof value === "number" ? String(value) : typeof value === "string" ? Number(value) : hostileValue(choices),
      );
      return `${key} of another type`;
    default:
      set(key, hostileValue(choices));
      return `${key} replaced`;
  }
}

/** Markers that are replaced in one document: a thousand copies of the largest would be no request but a lack of memory. */
const RAW_MAX = 5;

/** The document as JSON text, markers replaced by the raw text that they stand for. */
export function toJsonText(document: unknown): string {
  const text = JSON.stringify(document);
  let replaced = 0;
  return text.replace(/"(@raw:[a-z0-9-]+@)"/g, (whole, marker: string) =>
    replaced++ < RAW_MAX ? (RAW[marker] ?? whole) : whole,
  );
}
