// Owns: SortedRuns: sorting many items that come a few at a time, so that no moment is long: each piece is sorted as it comes, and
// runs of like sizes are merged.
// Invariants:
//   1. Each run is more than twice as long as the next: n items are touched about log n times in all, and one merge costs no
//      more than looking at all of them once.

export class SortedRuns<Item> {
  readonly #compare: (a: Item, b: Item) => number;
  readonly #runs: (readonly Item[])[] = [];
  size = 0;

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  add(items: Item[]): void {
    this.size += items.length;
    let run: readonly Item[] = items.sort(this.#compare);
    for (let last = this.#runs.at(-1); last !== undefined && last.length <= 2 * run.length; last = this.#runs.at(-1)) {
      this.#runs.pop();
      run = this.#merge(last, run);
    }
    this.#runs.push(run);
  }

  /** All items in order; none are left. */
  take(): readonly Item[] {
    this.size = 0;
    return this.#runs.splice(0).reduceRight((right, left) => this.#merge(left, right), []);
  }

  #merge(a: readonly Item[], b: readonly Item[]): readonly Item[] {
    if (b.length === 0) return a;
    const merged: Item[] = [];
    let j = 0;
    for (const item of a) {
      while (j < b.length && this.#compare(b[j] as Item, item) < 0) merged.push(b[j++] as Item);
      merged.push(item);
    }
    while (j < b.length) merged.push(b[j++] as Item);
    return merged;
  }
}
