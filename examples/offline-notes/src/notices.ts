// Owns: what the app must tell the person: a delete that can be undone for a while, and what could not be kept.
import type { SyncClientError } from "plasma-sync/client";

export interface Notice {
  readonly id: number;
  readonly title: string;
  readonly reason?: string;
  /** Present where a click takes something back; such a notice goes by itself. */
  readonly undo?: () => void;
}

const UNDO_MS = 8000;

let notices: readonly Notice[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

export const readNotices = (): readonly Notice[] => notices;
export function onNotices(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function dismissNotice(id: number): void {
  show(notices.filter((notice) => notice.id !== id));
}

/** Offers to take something back, in place of the offer before. */
export function offerUndo(title: string, undo: () => void): void {
  show(notices.filter((notice) => notice.undo === undefined));
  const id = add({ title, undo });
  setTimeout(() => dismissNotice(id), UNDO_MS);
}

/** Tells of something that did not work. */
export function tell(title: string, reason?: string): void {
  add({ title, ...(reason === undefined ? {} : { reason }) });
}

/** Refused changes and a failing disk; the network's troubles show beside the sync switch. */
export function reportError(error: SyncClientError): void {
  if (error.kind === "mutation-rejected") tell(WHAT[error.name] ?? "A change was not accepted", error.message);
  else if (error.kind === "storage")
    tell("This browser could not save a change", "Free some disk space, then reload the page.");
}

function add(notice: Omit<Notice, "id">): number {
  const id = nextId++;
  show([...notices, { ...notice, id }]);
  return id;
}

function show(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

const WHAT: Readonly<Record<string, string>> = {
  saveNote: "Your edit was not accepted",
  attach: "A file was not accepted",
  restoreNote: "The note was not brought back",
};
