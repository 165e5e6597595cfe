// What the registration in session.ts gives: hooks typed without a single annotation.
import { eq } from "plasma-sync";
import { useLiveQuery, useLiveQueryResult, useMutation, usePlasma } from "plasma-sync/react";
import { ticks, todos } from "./schema.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

export function useAcceptedPrograms() {
  const { mutate, error } = useMutation("createTodo", { onError: (_error, args) => args.title.trim() });
  void mutate({ listId: "1", title: "Water the plants" }).server;
  void usePlasma().mutate.setDone({ id: "1", done: true });
  const titles = useLiveQuery((db) => db.select({ title: todos.title, due: todos.due }).from(todos));
  holds<Same<(typeof titles)[number], { readonly title: string; readonly due: string | null }>>();
  const { rows } = useLiveQueryResult((db) => db.select().from(todos).leftJoin(ticks, eq(ticks.todoId, todos.id)));
  const off = useLiveQuery((db) => (titles.length === 0 ? null : db.select().from(todos).live()), [titles.length]);
  return [error?.message, rows[0]?.todos.title, rows[0]?.ticks?.at, off[0]?.note];
}

export function useRefusedPrograms() {
  const { mutate } = useMutation("createTodo");
  // @ts-expect-error -- the list is missing
  void mutate({ title: "Water the plants" });
  // @ts-expect-error -- no such mutator
  useMutation("createTodos");
  // @ts-expect-error -- done is a boolean
  void usePlasma().mutate.setDone({ id: "1", done: "yes" });
  const { rows } = useLiveQueryResult((db) => db.select().from(todos).leftJoin(ticks));
  // @ts-expect-error -- there may be no tick
  return rows[0]?.ticks.at;
}
