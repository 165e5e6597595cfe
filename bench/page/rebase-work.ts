// Owns: the work of `rebase`, the same for both sides.
// The store holds `rows` rows. `pending` mutations, each of which reads one row by id and adds 1 to its `n`, wait unpushed.
// A sample is one pull: from the moment its answer is handed over to the delivery, to a live query, of the row that the
// pull marked. The pull changes the text of every pending row ("all"), or of one row that nothing waits on ("apart").

export interface RebaseParams {
  readonly rows: number;
  readonly pending: number;
  readonly touches: "apart" | "all";
  readonly samples: number;
}

export interface Item {
  readonly id: string;
  readonly text: string;
  readonly n: number;
}

export const itemID = (i: number): string => `item-${String(i).padStart(7, "0")}`;
export const itemAt = (i: number): Item => ({
  id: itemID(i),
  text: `Text of item ${i}, as long as a short line of prose would be.`,
  n: i,
});

/** The row whose delivery ends a sample: the last one, on which no mutation waits. */
export const markerOf = ({ rows }: RebaseParams): number => rows - 1;

/** The rows that pull number `round` puts; the marker is last. */
export function pulledItems(params: RebaseParams, round: number): Item[] {
  const touched =
    params.touches === "all" ? Array.from({ length: Math.min(params.pending, params.rows - 1) }, (_, i) => i) : [];
  return [...touched, markerOf(params)].map((i) => ({ ...itemAt(i), text: `Pulled in round ${round}, item ${i}.` }));
}

/** What the view must hold at the end, as a digest. */
export function digest(items: readonly Item[]): string {
  let sum = 0;
  let chars = 0;
  for (const { n, text } of items) {
    sum += n;
    chars = (chars * 31 + text.length + (text.charCodeAt(text.length - 2) || 0)) % 1_000_000_007;
  }
  return `${items.length} rows, sum ${sum}, text ${chars}`;
}
