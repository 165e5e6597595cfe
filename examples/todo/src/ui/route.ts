// Owns: which list is open, kept in the address so that a reload and the back button do what one expects.
import { useSyncExternalStore } from "react";

const PREFIX = "#/list/";

export const listHref = (id: string): string => `${PREFIX}${encodeURIComponent(id)}`;
export const openList = (id: string): void => location.assign(listHref(id));
export const closeList = (): void => location.assign("#/");

/** The id in the address; null when it names no list. */
export function useListId(): string | null {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return hash.startsWith(PREFIX) ? decodeURIComponent(hash.slice(PREFIX.length)) : null;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
