// Owns: what the app must tell the person. Changes that the server refused stay until they are dismissed; a deleted
// todo can be brought back for a while.
import { eq, type Db } from "plasma-sync";
import type { SyncClientError } from "plasma-sync/client";
import { personName } from "./people.ts";
import { lists, todos } from "./schema.ts";

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

export function clearNotices(): void {
  show([]);
}

/** Offers to take something back, in place of the offer before. */
export function offerUndo(title: string, undo: () => void): void {
  show(notices.filter((notice) => notice.undo === undefined));
  const id = add({ title, undo });
  setTimeout(() => dismissNotice(id), UNDO_MS);
}

/** Tells of a refused change and of a failing disk; the network's troubles show in the sync badge. */
export async function reportError(db: Db, error: SyncClientError): Promise<void> {
  if (error.kind === "mutation-rejected") {
    add(await describeRefusal(db, error));
  } else if (error.kind === "storage") {
    add({ title: "This browser could not save a change", reason: "Free some disk space, then reload the page." });
  }
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

type Refusal = Extract<SyncClientError, { kind: "mutation-rejected" }>;

/** What was refused and why. By now the view shows the rows as they were before. */
async function describeRefusal(db: Db, refusal: Refusal): Promise<Omit<Notice, "id">> {
  const args = refusal.args as { id?: string; listId?: string; userId?: string; title?: string; name?: string };
  const id = args.id ?? "";
  const [todo] = await db.select().from(todos).where(eq(todos.id, id));
  const [list] = await db
    .select()
    .from(lists)
    .where(eq(lists.id, args.userId === undefined ? id : (args.listId ?? "")));
  const subject = quote(todo?.title ?? list?.name ?? args.title ?? args.name);
  const title = (WHAT[refusal.name] ?? ((it: string) => `A change to ${it} was not accepted`))(subject);
  if (refusal.code !== "auth/denied") return { title, reason: refusal.message };
  if (list !== undefined) return { title, reason: `Only ${personName(list.ownerId)}, who owns it, may change it.` };
  return { title, reason: "You may not change it." };
}

const quote = (text: string | undefined): string => (text === undefined ? "it" : `“${text}”`);

const WHAT: Readonly<Record<string, (subject: string) => string>> = {
  createTodo: (it) => `${it} was not added`,
  restoreTodo: (it) => `${it} was not brought back`,
  createList: (it) => `The list ${it} was not added`,
  editTodo: (it) => `Your edit of ${it} was taken back`,
  deleteTodo: (it) => `${it} was not deleted`,
  setDone: (it) => `Your tick on ${it} was taken back`,
  renameList: (it) => `The list ${it} keeps its name`,
  addMember: (it) => `${it} was not shared`,
  removeMember: (it) => `${it} is shared as before`,
  leaveList: (it) => `You have not left ${it}`,
  deleteList: (it) => `The list ${it} was not deleted`,
};
