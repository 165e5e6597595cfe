// Owns: what the server knows and browsers do not: who is asking, and which titles are allowed.
import { defineMutators } from "plasma-sync";
import { forms } from "../mutators.ts";
import { PEOPLE } from "../people.ts";
import type { schema, Ctx } from "../schema.ts";
import { assertTitleAllowed } from "./title-rules.ts";

/** The server's own form of what sets a title: the same, after a rule that browsers do not know. */
export const serverMutators = defineMutators<typeof schema, Ctx>()({
  ...forms,
  createTodo: async (input: Parameters<typeof forms.createTodo>[0]) => {
    assertTitleAllowed(input.args.title);
    await forms.createTodo(input);
  },
  restoreTodo: async (input: Parameters<typeof forms.restoreTodo>[0]) => {
    assertTitleAllowed(input.args.title);
    await forms.restoreTodo(input);
  },
  editTodo: async (input: Parameters<typeof forms.editTodo>[0]) => {
    assertTitleAllowed(input.args.title ?? "");
    await forms.editTodo(input);
  },
});

/** The demo believes the header. A real app checks a session or a token here. */
export function auth(request: Request) {
  const userId = request.headers.get("x-user");
  if (!PEOPLE.some((person) => person.id === userId) || userId === null) {
    return { ok: false as const, reason: "The header x-user names nobody." };
  }
  return { ok: true as const, clientGroupID: userId, ctx: { userId } };
}
