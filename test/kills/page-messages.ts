// Owns: what a page of the kill tests and the test say to each other.

export interface PageQuery {
  /** The test's end of the socket. */
  readonly control: string;
  readonly writer: string;
  /** Writers of which it tells what it finds, with commas between. */
  readonly before: string;
  /** Who has written, with an earlier release, what it finds there. "": nobody. */
  readonly old: string;
  /** What its requests meet: "none" and "lossy" leave an outbox behind. */
  readonly network: "good" | "lossy" | "none";
  readonly schemaVersion: string;
}

/** Writer → numbers. */
export type Numbers = { readonly [writer: string]: readonly number[] };

export interface Written {
  readonly entry?: number;
  readonly draft?: number;
}

export type FromPage = { readonly writer: string } &
  /** `marks`: of the rows of the sheet, each once. */
  (
    | {
        readonly type: "found";
        readonly entries: Numbers;
        readonly drafts: Numbers;
        readonly marks: readonly string[];
      }
    | { readonly type: "first-sync"; readonly rows: number }
    | ({ readonly type: "acked" } & Written)
    | { readonly type: "old"; readonly written: readonly Written[] }
    | { readonly type: "error"; readonly message: string }
    | { readonly type: "flushed" }
    | {
        readonly type: "shown";
        /** Ids, in order. */
        readonly entries: readonly string[];
        readonly totals: { readonly [writer: string]: number };
        readonly stock: number;
      }
  );

export type ToPage =
  /** Writes no more and sends what is to be sent: `flushed` follows. */
  | { readonly type: "finish" }
  /** Tells what it shows once that is so many entries, or after a while: `shown` follows. */
  | { readonly type: "show"; readonly entries: number }
  /** Tells how it stands, as an error: another page has waited in vain. */
  | { readonly type: "explain" };
