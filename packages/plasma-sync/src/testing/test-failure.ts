// Owns: TestFailure, how a test that uses the kit fails: what was expected, what happened instead, in the app's own words.
// Unlike errors of the library its messages show args and ids: they are the test's own.

export type TestFailureCode =
  | "test/closed"
  | "test/denied"
  | "test/file"
  | "test/not-denied"
  | "test/not-visible"
  | "test/seed"
  | "test/stuck"
  | "test/time"
  | "test/told"
  | "test/usage"
  | "test/visible";

/** A failed expectation. `actual` and `expected` let test runners show the difference. */
export class TestFailure extends Error {
  readonly code: TestFailureCode;
  readonly actual?: unknown;
  readonly expected?: unknown;

  constructor(
    code: TestFailureCode,
    message: string,
    { actual, expected, ...options }: ErrorOptions & { readonly actual?: unknown; readonly expected?: unknown } = {},
  ) {
    super(`${message} [${code}]`, options);
    this.name = "TestFailure";
    this.code = code;
    if (expected !== undefined) Object.assign(this, { actual, expected });
  }
}

const SHOWN_CHARS_MAX = 300;

/** `renameList({"id":"trip"})`, cut when long. */
export function showCall(name: string, args: unknown): string {
  return `${name}(${args === undefined ? "" : showValue(args)})`;
}

export function showValue(value: unknown): string {
  const replaced = (_key: string, inner: unknown) => {
    if (typeof inner === "bigint") return `${inner}n`;
    return inner instanceof Uint8Array ? `${inner.length} bytes` : inner;
  };
  const text = JSON.stringify(value, replaced) ?? String(value);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}
