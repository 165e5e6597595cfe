// Owns: OrderedMap, entries kept in order under a comparison; an entry is its own key (rows order themselves by columns).
//
//   chunks:  [a b c d] [e f g] [h i j k]     each sorted, none empty, each before the next
//
// Invariants:
//   1. The comparison is total: two entries that compare equal are the same entry, held once.
//   2. A chunk holds at most CHUNK_MAX entries. A search is two binary searches; an edit moves entries of one chunk. A chunk
//      is split or dropped after at least CHUNK_MAX / 2 edits of it, and only then does the list of chunks move.
//   3. No entry changes and nothing is edited while an iteration runs.

/** Large enough that the list of chunks stays short (a million entries: about 10,000), small enough that moves are cheap. */
const CHUNK_MAX = 128;

/** Places an entry relative to a target: negative before it, 0 at it, positive after it. Must be monotonic over the order. */
export type Probe<E> = (entry: E) => number;

export class OrderedMap<E> {
  readonly #compare: (a: E, b: E) => number;
  #chunks: E[][] = [];
  #size = 0;

  /** `entries` may come in any order; the array is kept from now on and sorted. */
  constructor(compare: (a: E, b: E) => number, entries: E[] = []) {
    this.#compare = compare;
    entries.sort(compare);
    this.#size = entries.length;
    // Three quarters full: room for inserts before the first splits.
    const step = (CHUNK_MAX * 3) / 4;
    for (let i = 0; i < entries.length; i += step) this.#chunks.push(entries.slice(i, i + step));
  }

  get size(): number {
    return this.#size;
  }

  get last(): E | undefined {
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
    const at = Math.min(this.#chunkAt(probe), Math.max(0, this.#chunks.length - 1));
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
    let left = position;
    for (const chunk of this.#chunks) {
      if (left < chunk.length) return chunk[left];
      left -= chunk.length;
    }
    return undefined;
  }

  /** Entries in order, from the first that `probe` places at or after its target. */
  *from(probe: Probe<E>): Iterable<E> {
    const at = this.#chunkAt(probe);
    const first = this.#chunks[at];
    if (first === undefined) return;
    for (let i = firstAt(first, probe); i < first.length; i++) yield first[i] as E;
    for (let c = at + 1; c < this.#chunks.length; c++) yield* this.#chunks[c] as E[];
  }

  /** The entries of positions `start` to `end` (exclusive) as a new array. */
  slice(start = 0, end = this.#size): E[] {
    const result: E[] = [];
    let position = 0;
    for (const chunk of this.#chunks) {
      if (position >= end) break;
      const [low, high] = [Math.max(0, start - position), Math.min(chunk.length, end - position)];
      for (let i = low; i < high; i++) result.push(chunk[i] as E);
      position += chunk.length;
    }
    return result;
  }

  /** The first chunk that ends at or after the target; the number of chunks when none does. */
  #chunkAt(probe: Probe<E>): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle] as E[];
      if (probe(chunk[chunk.length - 1] as E) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
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
