// Owns: Ledger: what the kill tests were promised, and whether the device and the server kept it.
//
//   a writer writes 1, 2, 3 …; each number is told when its promise has resolved ──kill──► what is found here is 1 … k, k at least
//   the last that was told ──► what the server has in the end is 1 … k, in that order, each once

import type { FromPage, Numbers, Written } from "./page-messages.ts";

/** What the server has of one writer. */
export interface ServerSide {
  readonly writer: string;
  /** Numbers of its entries, in the order in which the server took them. */
  readonly numbers: readonly number[];
  /** Counted one by one, by the mutator. */
  readonly total: number;
}

class Line {
  acked = 0;
  /** How many there are for good; null as long as its page may live, or nobody has looked since. */
  kept: number | null = null;
  /** Acknowledged numbers above `acked`: of writes that run at the same time. */
  readonly #early = new Set<number>();

  ack(n: number): void {
    this.#early.add(n);
    while (this.#early.delete(this.acked + 1)) this.acked += 1;
  }
  /** The highest that was acknowledged. */
  get highest(): number {
    return Math.max(this.acked, ...this.#early);
  }
}

export class Ledger {
  readonly problems: string[] = [];
  readonly #writers = new Map<string, { readonly entries: Line; readonly drafts: Line }>();

  open(writer: string): void {
    this.#writers.set(writer, { entries: new Line(), drafts: new Line() });
  }

  /** Writers whose page is dead and of which nobody has told what they left. */
  get unchecked(): string[] {
    return [...this.#writers].flatMap(([writer, { entries }]) => (entries.kept === null ? [writer] : []));
  }

  /** Writes that were promised, and writes that are there although the promise had not come: the kill fell in between. */
  get counts(): { readonly acked: number; readonly unheard: number } {
    const lines = [...this.#writers.values()].flatMap(({ entries, drafts }) => [entries, drafts]);
    const sum = (of: (line: Line) => number) => lines.reduce((total, line) => total + of(line), 0);
    return { acked: sum(({ acked }) => acked), unheard: sum(({ acked, kept }) => Math.max(0, (kept ?? 0) - acked)) };
  }

  ack(writer: string, { entry, draft }: Written): void {
    const lines = this.#writers.get(writer);
    if (entry !== undefined) lines?.entries.ack(entry);
    if (draft !== undefined) lines?.drafts.ack(draft);
  }

  /** What a page has found of dead writers. */
  found({ writer: by, entries, drafts, marks }: Extract<FromPage, { type: "found" }>): void {
    if (marks.length > 1) this.#object(`${by} found half of a commit: a sheet with the marks ${marks.join(", ")}`);
    this.#check(by, "entries", entries);
    this.#check(by, "drafts", drafts);
  }

  /** The writer's page was not killed: what it was promised is all there is. */
  close(writer: string): void {
    const lines = this.#writers.get(writer);
    for (const line of [lines?.entries, lines?.drafts]) if (line !== undefined) line.kept = line.highest;
  }

  server(sides: readonly ServerSide[]): void {
    const known = new Map(sides.map((side) => [side.writer, side]));
    for (const [writer, { entries }] of this.#writers) {
      const { numbers = [], total = 0 } = known.get(writer) ?? {};
      known.delete(writer);
      const kept = entries.kept ?? -1;
      if (!isOneTo(kept, numbers))
        this.#object(`the server has of ${writer} ${show(numbers)}, the device had 1 … ${kept}`);
      if (kept < entries.highest)
        this.#object(`${writer} was promised 1 … ${entries.highest}, the device had 1 … ${kept}`);
      if (total !== kept) this.#object(`the server counted ${total} entries of ${writer}, the device had ${kept}`);
    }
    if (known.size > 0) this.#object(`the server has entries of ${[...known.keys()].join(", ")}, who wrote nothing`);
  }

  #check(by: string, what: "entries" | "drafts", numbers: Numbers): void {
    for (const [writer, unsorted] of Object.entries(numbers)) {
      const line = this.#writers.get(writer)?.[what];
      const found = [...unsorted].sort((a, b) => a - b);
      const kept = found.length;
      if (line === undefined) continue;
      const where = `${by} found of the ${what} of ${writer} ${show(found)}`;
      if (!isOneTo(kept, found) || kept < line.highest) this.#object(`${where}; promised was 1 … ${line.highest}`);
      if (line.kept !== null && line.kept !== kept) this.#object(`${where}; before, 1 … ${line.kept} was found`);
      line.kept = kept;
    }
  }

  #object(problem: string): void {
    this.problems.push(problem);
  }
}

const isOneTo = (last: number, numbers: readonly number[]): boolean =>
  numbers.length === last && numbers.every((n, i) => n === i + 1);

const show = (numbers: readonly number[]): string =>
  numbers.length > 40
    ? `[${numbers.slice(0, 20).join(" ")} … ${numbers.slice(-20).join(" ")}]`
    : `[${numbers.join(" ")}]`;
