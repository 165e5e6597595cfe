// Owns: lowerBound, bisection of a list in order.

/** Index of the first item that satisfies `isFrom`, which holds for all items after it too; the list's length where none does. */
export function lowerBound<T>(items: readonly T[], isFrom: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isFrom(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
