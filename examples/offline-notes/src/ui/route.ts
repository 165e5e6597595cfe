// Owns: which note is open, in the address: `#note-id`, or nothing.
import { useSyncExternalStore } from "react";

const read = (): string | null => (location.hash.length > 1 ? decodeURIComponent(location.hash.slice(1)) : null);

export function useOpenNoteId(): string | null {
  return useSyncExternalStore((onChange) => {
    addEventListener("hashchange", onChange);
    return () => removeEventListener("hashchange", onChange);
  }, read);
}

export function openNote(id: string | null): void {
  location.hash = id === null ? "" : encodeURIComponent(id);
}

export const hrefOf = (id: string): string => `#${encodeURIComponent(id)}`;
