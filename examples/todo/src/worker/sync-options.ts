// Owns: what the server knows and browsers do not: who is asking, and which titles are allowed.
import { and, defineMutators, eq, type Db } from "plasma-sync";
import { forms } from "../mutators.ts";
import { isPerson } from "../people.ts";
import { lists, members, type Ctx, type schema } from "../schema.ts";
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

/** The demo believes the header, or the token of a socket. A real app checks a session or a token here. */
export function auth(request: Request) {
  const token = request.headers.get("authorization")?.replace("Bearer ", "");
  const userId = request.headers.get("x-user") ?? token;
  if (!isPerson(userId)) return { ok: false as const, reason: "The header x-user names nobody." };
  return { ok: true as const, clientGroupID: userId, ctx: { userId } };
}

const LIST_ROOM = "list:";

/** Everybody hears that something has changed; who looks at a list is for those alone who are in it. */
export async function mayEnter(db: Db, { userId }: Ctx, room: string): Promise<boolean> {
  if (!room.startsWith(LIST_ROOM)) return room === "global";
  const id = room.slice(LIST_ROOM.length);
  const [list] = await db.select().from(lists).where(eq(lists.id, id));
  // A new list on its way here: whoever can name it has made it.
  if (list === undefined) return true;
  const [member] = await db
    .select()
    .from(members)
    .where(and(eq(members.listId, id), eq(members.userId, userId)));
  return member !== undefined;
}
