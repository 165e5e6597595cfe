// Owns: the rows of 1 KB that the client's workloads share, made from a fixed seed. Their text is noise, so that no disk makes
// it small, and flat, so that no first use pays for joining it.

export interface Item {
  readonly id: string;
  /** Seven digits, a permutation: neighbours by id are far apart by rank. A text, for Replicache indexes nothing else. */
  readonly rank: string;
  readonly label: string;
  readonly text: string;
}

const PIECE_CHARS = 37;
const PIECES_PER_TEXT = 25;
const PIECE_COUNT = 4096;
const LETTERS = "abcdefghijklmnopqrstuvwxyz      ,.-ABCDEFGHIJKLMNOPQRSTUVWXYZ0123";

/** Numerical Recipes' generator: 32 bits, the upper ones good. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pieces: readonly string[] = makePieces();

function makePieces(): string[] {
  const random = createRandom(7);
  const letter = () => LETTERS[random(LETTERS.length)] ?? " ";
  return Array.from({ length: PIECE_COUNT }, () => Array.from({ length: PIECE_CHARS }, letter).join(""));
}

/** 1 KB less what the other columns take. */
export function textOf(seed: number): string {
  const random = createRandom(seed * 2_654_435_761);
  return Array.from({ length: PIECES_PER_TEXT }, () => pieces[random(PIECE_COUNT)]).join("");
}

export const itemID = (i: number): string => `item-${String(i).padStart(7, "0")}`;

/** Prime, and larger than any count of rows here. */
const RANK_MODULUS = 1_000_003;

export function itemAt(i: number): Item {
  const place = (factor: number) => String((i * factor + 12_345) % RANK_MODULUS).padStart(7, "0");
  return { id: itemID(i), rank: place(386_117), label: place(7919), text: textOf(i) };
}

export const itemsFrom = (first: number, count: number): Item[] =>
  Array.from({ length: count }, (_, i) => itemAt(first + i));

/** Looks at every row. */
export function digest(items: readonly Item[]): string {
  let sum = 0;
  for (const { id, rank, text } of items)
    sum = (sum * 31 + Number(rank) + id.charCodeAt(id.length - 1) + text.length + text.charCodeAt(40)) % 1_000_000_007;
  return `${items.length} rows from ${items[0]?.id} to ${items.at(-1)?.id}, sum ${sum}`;
}
