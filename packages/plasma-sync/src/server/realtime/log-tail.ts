// Owns: LogTail: the last entries of the change log in memory, so that what one commit changed is read once for all who are
// told of it.
// Invariants:
//   1. What it holds is the log without a gap from its start to its end; the entry at the start is proven by its tag, at each
//      read anew. When the log is another (a restored backup), or has grown by more than fits, it holds nothing and begins at
//      the log's end.
//   2. It holds no more than `limits.logTailEntriesMax` entries and `limits.logTailBytesMax` bytes of images.

import { assert } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import type { Position } from "../sync/cookie.ts";
import { isOfLog, readHead, readLog, toHead, toLogEntry, type LogEntry, type PullHead } from "../sync/log-reads.ts";

export class LogTail {
  readonly #executor: SqlExecutor;
  #start: Position | null = null;
  #entries: LogEntry[] = [];
  #sizeBytes = 0;
  #compactedTo = 0;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  /** The log's end when it was last read. */
  get end(): Position {
    const end = this.#entries.at(-1) ?? this.#start;
    assert(end !== null, "log tail: it is read before it is asked");
    return end;
  }

  /** Reads what came since: one batch of two statements. An empty tail begins at `from`, if that is a place in the log. */
  async advance(from: Position | null): Promise<void> {
    const { dialect } = this.#executor;
    const anchor = this.#start === null ? from : this.end;
    const after = anchor?.version ?? Number.MAX_SAFE_INTEGER;
    const [headRows = [], logRows = []] = await this.#executor.batch([
      readHead(dialect, "", after),
      readLog(dialect, { after, upTo: null, limit: limits.logTailEntriesMax, bytesMax: limits.logTailBytesMax }),
    ]);
    const [headRow] = headRows;
    assert(headRow !== undefined, "log tail: the head is always one row");
    const head = toHead(headRow);
    const entries = logRows.map(toLogEntry);
    const isWhole = (entries.at(-1)?.version ?? anchor?.version) === head.version;
    if (anchor === null || !isOfLog(anchor, head) || !isWhole) return this.#beginAt(head);
    this.#start ??= anchor;
    this.#compactedTo = head.compactedTo;
    for (const entry of entries) this.#add(entry);
    this.#trim();
  }

  /** The entries after a position; null when it is not in what the tail holds. */
  after({ version, tag }: Position): readonly LogEntry[] | null {
    if (this.#start === null || version < this.#compactedTo) return null;
    if (version === this.#start.version) return tag === this.#start.tag ? this.#entries : null;
    const entries = this.#above(version);
    const entry = this.#entries[this.#entries.length - entries.length - 1];
    return entry?.version === version && entry.tag === tag ? entries : null;
  }

  /** The entries above a version; null when the tail begins above it. */
  above(version: number): readonly LogEntry[] | null {
    if (this.#start === null || version < this.#start.version) return null;
    return this.#above(version);
  }

  /** From the end: those who ask have mostly heard of all but the last few. */
  #above(version: number): readonly LogEntry[] {
    return this.#entries.slice(this.#entries.findLastIndex((entry) => entry.version <= version) + 1);
  }

  #beginAt({ version, tag, compactedTo }: PullHead): void {
    this.#start = { version, tag };
    this.#entries = [];
    this.#sizeBytes = 0;
    this.#compactedTo = compactedTo;
  }

  #add(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#sizeBytes += sizeOf(entry);
  }

  #trim(): void {
    let count = 0;
    while (
      this.#entries.length - count > limits.logTailEntriesMax ||
      (this.#sizeBytes > limits.logTailBytesMax && count < this.#entries.length)
    ) {
      this.#start = this.#entries[count] as LogEntry;
      this.#sizeBytes -= sizeOf(this.#start as LogEntry);
      count += 1;
    }
    if (count > 0) this.#entries = this.#entries.slice(count);
    if (this.#start !== null) this.#start = { version: this.#start.version, tag: this.#start.tag };
  }
}

const sizeOf = ({ before, value }: LogEntry): number => (before?.length ?? 0) + (value?.length ?? 0);
