// Owns: the people of the demo, and who the person at this browser is. A real app has a login here.

export interface Person {
  readonly id: string;
  readonly name: string;
}

export const PEOPLE: readonly Person[] = [
  { id: "ada", name: "Ada" },
  { id: "grace", name: "Grace" },
  { id: "linus", name: "Linus" },
];

const KEY = "plasma-todo:user";
export const isPerson = (id: unknown): id is string => PEOPLE.some((person) => person.id === id);

/** `?user=grace` shows another person in this window only; else the one picked last. */
export function currentUserId(): string {
  const asked = new URLSearchParams(location.search).get("user");
  if (isPerson(asked)) return asked;
  const kept = localStorage.getItem(KEY);
  return isPerson(kept) ? kept : "ada";
}

export function keepUserId(id: string): void {
  localStorage.setItem(KEY, id);
  const url = new URL(location.href);
  url.searchParams.delete("user");
  url.hash = "";
  history.replaceState(null, "", url);
}

export const personName = (id: string): string => PEOPLE.find((person) => person.id === id)?.name ?? "Somebody";

/** `Ada, Grace and Linus` */
export function namesOf(ids: readonly string[]): string {
  const names = ids.map(personName);
  const last = names.pop() ?? "";
  return names.length === 0 ? last : `${names.join(", ")} and ${last}`;
}
