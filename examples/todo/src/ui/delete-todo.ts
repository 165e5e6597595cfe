// Owns: deleting a todo, with the offer to bring it back.
import { usePlasma } from "plasma-sync/react";
import { offerUndo } from "../notices.ts";
import type { TodoWithTick } from "./todo-window.ts";

export function useDeleteTodo(): (row: TodoWithTick) => void {
  const client = usePlasma();
  return ({ todos: todo, ticks: tick }) => {
    const { id, listId, title, note, due, createdAt } = todo;
    void client.mutate.deleteTodo({ id });
    offerUndo(`“${title}” is deleted`, () => {
      void client.mutate.restoreTodo({ id, listId, title, note, due, createdAt });
      if (tick !== null) void client.mutate.setDone({ id, done: true });
    });
  };
}
