// Owns: the Worker: sync for the todo app, on D1.
import type { D1Database } from "@cloudflare/workers-types";
import { defineMutators } from "plasma-sync";
import { createSyncHandler, ensureSchema, fromD1 } from "plasma-sync/server";
import { forms } from "../mutators.ts";
import { PEOPLE } from "../people.ts";
import { schema, SCHEMA_VERSION, type Ctx } from "../schema.ts";
import { seedWhenEmpty } from "./seed.ts";
import { assertTitleAllowed } from "./title-rules.ts";

interface Env {
  readonly DB: D1Database;
}

/** The server's own form of what sets a title: the same, after a rule that browsers do not know. */
const mutators = defineMutators<typeof schema, Ctx>()({
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
function auth(request: Request) {
  const userId = request.headers.get("x-user");
  if (!PEOPLE.some((person) => person.id === userId) || userId === null) {
    return { ok: false as const, reason: "The header x-user names nobody." };
  }
  return { ok: true as const, clientGroupID: userId, ctx: { userId } };
}

let isSeeded = false;
let handle: ((request: Request) => Promise<Response>) | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const executor = fromD1(env.DB);
    if (!isSeeded) {
      // Requests that come together all do this; it is safe to. A Worker must not await another request's promise.
      await ensureSchema({ schema, executor });
      await seedWhenEmpty(env.DB);
      isSeeded = true;
    }
    handle ??= createSyncHandler({
      schema,
      mutators,
      executor,
      schemaVersion: SCHEMA_VERSION,
      auth,
      onError: (error) => console.error(error),
    });
    return handle(request);
  },
};
