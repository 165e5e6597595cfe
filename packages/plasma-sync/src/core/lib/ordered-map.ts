// Owns: OrderedMap, entries kept in order under a comparison; an entry is its own key (rows order themselves by columns).
//
//   chunks:  [a b c d] [e f g] [l i k h …… j m] [n o p]     none empty, each before the next; long ones are not sorted yet
//
// Loading is lazy: entries start as one long unsorted chunk. Whoever needs a place in it splits it around pivots, as quicksort
// does, but only on the way to that place. So the first hundred of n loaded entries cost O(n), all of them O(n log n). Entries
// that are added in bulk go into the chunk of their place and make it unsorted: a load in pieces costs what one in whole does.
//
// Invariants:
//   1. The comparison is total: two entries that compare equal are the same entry, held once.
//   2. The last entry of every chunk but the last one is its greatest. A chunk of at most CHUNK_MAX entries that has been
//      looked into is sorted, and no chunk is edited before it is.
//   3. A search is two binary searches; an edit moves entries of one chunk. A sorted chunk is split or dropped after at least
//      CHUNK_MAX / 4 edits of it, and only then does the list of chunks move.
//   4. Nothing is edited while an iteration runs.

/** Large enough that the list of chunks stays short (a million entries: about 10,000), small enough that moves are cheap. */
const CHUNK_MAX = 128;
const PIVOT_SAMPLES = 9;

/** Places an entry relative to a target: negative before it, 0 at it, positive after it. Must be monotonic over the order. */
export type Probe<E> = (entry: E) => number;

export class OrderedMap<E> {
  readonly #compare: (a: E, b: E) => number;
  #chunks: E[][] = [];
  /** Chunks as they were loaded or split, in any order inside; null when there are none. */
  #unsorted: Set<E[]> | null = null;
  #size = 0;

  /** `entries` come in any order unless `isSorted`; the array is the map's own from now on. */
  constructor(compare: (a: E, b: E) => number, entries: E[] = [], isSorted = false) {
    this.#compare = compare;
    this.#size = entries.length;
    if (entries.length === 0) return;
    if (isSorted && entries.length > CHUNK_MAX) this.#chunks = piecesOf(entries);
    else this.#chunks.push(entries);
    if (!isSorted) this.#unsorted = new Set([entries]);
  }

  get size(): number {
    return this.#size;
  }

  get last(): E | undefined {
    while (this.#refine(this.#chunks.length - 1));
    return this.#chunks.at(-1)?.at(-1);
  }

  /** The entry that compares equal to `entry`. */
  get(entry: E): E | undefined {
    const probe: Probe<E> = (other) => this.#compare(other, entry);
    const chunk = this.#chunks[this.#chunkAt(probe)];
    const found = chunk?.[firstAt(chunk, probe)];
    return found !== undefined && probe(found) === 0 ? found : undefined;
  }

  /** Adds `entry`, or puts it in the place of the equal one, which is returned. */
  set(entry: E): E | undefined {
    const probe: Probe<E> = (other) => this.#compare(other, entry);
    const at = this.#chunkAt(probe);
    const chunk = (this.#chunks[at] ??= []);
    const i = firstAt(chunk, probe);
    const found = chunk[i];
    if (found !== undefined && probe(found) === 0) {
      chunk[i] = entry;
      return found;
    }
    chunk.splice(i, 0, entry);
    this.#size += 1;
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_MAX / 2));
    return undefined;
  }

  /** Adds entries that the map does not hold, in any order; each costs a search for its chunk now and is sorted in when needed. */
  addAll(entries: readonly E[]): void {
    if (entries.length === 0) return;
    if (this.#chunks.length === 0) this.#chunks.push([]);
    const unsorted = (this.#unsorted ??= new Set());
    for (const entry of entries) {
      const at = this.#searchChunk((other) => this.#compare(other, entry));
      const chunk = this.#chunks[at] as E[];
      const last = chunk.length - 1;
      // A chunk before others keeps its greatest entry at its end.
      if (at < this.#chunks.length - 1) {
        chunk.push(chunk[last] as E);
        chunk[last] = entry;
      } else chunk.push(entry);
      unsorted.add(chunk);
    }
    this.#size += entries.length;
  }

  /** Removes the entry that compares equal to `entry` and returns it. */
  delete(entry: E): E | undefined {
    const probe: Probe<E> = (other) => this.#compare(other, entry);
    const at = this.#chunkAt(probe);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return undefined;
    const i = firstAt(chunk, probe);
    const found = chunk[i];
    if (found === undefined || probe(found) !== 0) return undefined;
    chunk.splice(i, 1);
    this.#size -= 1;
    if (chunk.length <= CHUNK_MAX / 4) this.#merge(at);
    return found;
  }

  /** How many entries come before `entry`. O(size / CHUNK_MAX). */
  position(entry: E): number {
    const probe: Probe<E> = (other) => this.#compare(other, entry);
    const at = this.#chunkAt(probe);
    let before = 0;
    for (let i = 0; i < at; i++) before += this.#chunks[i]?.length ?? 0;
    const chunk = this.#chunks[at];
    return chunk === undefined ? before : before + firstAt(chunk, probe);
  }

  /** The entry at a position. O(position / CHUNK_MAX). */
  at(position: number): E | undefined {
    let before = 0;
    for (let c = 0; c < this.#chunks.length; c++) {
      const isIn = () => position < before + (this.#chunks[c] as E[]).length;
      while (isIn() && this.#refine(c));
      if (isIn()) return this.#chunks[c]?.[position - before];
      before += (this.#chunks[c] as E[]).length;
    }
    return undefined;
  }

  /** Shows entries in order, from the first that `probe` places at or after its target, until `visit` returns false. */
  visit(probe: Probe<E>, visit: (entry: E) => boolean): void {
    let c = this.#chunkAt(probe);
    let chunk = this.#chunks[c];
    let i = chunk === undefined ? 0 : firstAt(chunk, probe);
    while (chunk !== undefined) {
      for (; i < chunk.length; i++) if (!visit(chunk[i] as E)) return;
      // Another search may have split chunks before this one meanwhile.
      if (this.#chunks[c] !== chunk) c = this.#chunks.indexOf(chunk);
      c += 1;
      while (this.#refine(c));
      chunk = this.#chunks[c];
      i = 0;
    }
  }

  /** The entries of positions `start` to `stop` (exclusive) as a new array. */
  slice(start = 0, stop = this.#size): E[] {
    const [first, last] = [Math.min(start, this.#size), Math.min(stop, this.#size)];
    const result: E[] = [];
    result.length = Math.max(0, last - first);
    let before = 0;
    let at = 0;
    for (let c = 0; before < last && c < this.#chunks.length; c++) {
      const end = () => before + (this.#chunks[c] as E[]).length;
      while (end() > first && this.#refine(c, before >= first && end() <= last));
      const chunk = this.#chunks[c] as E[];
      const high = Math.min(chunk.length, last - before);
      for (let i = Math.max(0, first - before); i < high; i++) result[at++] = chunk[i] as E;
      before += chunk.length;
    }
    return result;
  }

  /** The first chunk that ends at or after the target, else the last one; 0 when there is none. It is sorted. */
  #chunkAt(probe: Probe<E>): number {
    for (;;) {
      const at = this.#searchChunk(probe);
      if (!this.#refine(at)) return at;
    }
  }

  #searchChunk(probe: Probe<E>): number {
    let low = 0;
    let high = Math.max(0, this.#chunks.length - 1);
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle] as E[];
      if (probe(chunk[chunk.length - 1] as E) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Takes an unsorted chunk one step on: splits a long one, or sorts it: a short one, or one that is needed `whole`. False
   * when there was nothing to do.
   */
  #refine(at: number, whole = false): boolean {
    const chunk = this.#chunks[at];
    if (this.#unsorted === null || chunk === undefined || !this.#unsorted.delete(chunk)) return false;
    if (this.#unsorted.size === 0) this.#unsorted = null;
    if (whole || chunk.length <= CHUNK_MAX) {
      chunk.sort(this.#compare);
      if (chunk.length > CHUNK_MAX) this.#chunks.splice(at, 1, ...piecesOf(chunk));
      return true;
    }
    const pivot = this.#pivotOf(chunk);
    const left: E[] = [];
    const right: E[] = [];
    for (const entry of chunk) if (entry !== pivot) (this.#compare(entry, pivot) < 0 ? left : right).push(entry);
    left.push(pivot);
    this.#chunks.splice(at, 1, left, right);
    (this.#unsorted ??= new Set()).add(left).add(right);
    return true;
  }

  /** The median of a few entries: some are greater, so neither side of a split is empty. */
  #pivotOf(chunk: readonly E[]): E {
    const step = Math.floor(chunk.length / PIVOT_SAMPLES);
    const samples = Array.from({ length: PIVOT_SAMPLES }, (_, i) => chunk[i * step] as E);
    return samples.sort(this.#compare)[PIVOT_SAMPLES >> 1] as E;
  }

  /** Puts a small chunk together with a neighbour where both fit with room to spare; drops an empty one. */
  #merge(at: number): void {
    const left = this.#chunks[at - 1];
    const chunk = this.#chunks[at] as E[];
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    else if (left !== undefined && left.length + chunk.length <= CHUNK_MAX / 2) {
      left.push(...chunk);
      this.#chunks.splice(at, 1);
    }
  }
}

/** Cuts a sorted list into chunks that are three quarters full. */
function piecesOf<E>(sorted: readonly E[]): E[][] {
  const step = (CHUNK_MAX * 3) / 4;
  return Array.from({ length: Math.ceil(sorted.length / step) }, (_, i) => sorted.slice(i * step, (i + 1) * step));
}

/** Index of the first entry at or after the target. */
function firstAt<E>(chunk: readonly E[], probe: Probe<E>): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (probe(chunk[middle] as E) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
