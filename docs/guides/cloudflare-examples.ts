// Owns: the code of cloudflare.md, as a program: each block there is a region here, in the same order. The compiler checks it,
// and test/docs runs it in workerd.

/** As `wrangler types` declares it for an app. */
interface DurableObjectNamespace<_Class> {
  idFromName(name: string): object;
  get(id: object): { fetch(request: Request): Promise<Response> };
}

// #region object
import { defineMutators, defineSchema, id, table, text, type MutatorInput } from "plasma-sync/core";
import { PlasmaObject, type PlasmaObjectOptions } from "plasma-sync/server/cloudflare";

export interface Ctx {
  readonly userId: string;
}

export interface Env {
  readonly TEAM: DurableObjectNamespace<Team>;
  readonly SESSION_SECRET: string;
}

const todos = table("todos", { id: id(), title: text() });
const schema = defineSchema({ todos });
const mutators = defineMutators<typeof schema, Ctx>()({
  addTodo: async ({ db, args, newId }: MutatorInput<typeof schema, Ctx, { title: string }>) => {
    await db.insert(todos).values({ id: newId(), title: args.title });
  },
});

export class Team extends PlasmaObject<Env> {
  options(env: Env): PlasmaObjectOptions<Ctx> {
    return {
      schema,
      mutators,
      schemaVersion: "1",
      auth: async (request) => {
        const team = new URL(request.url).hostname;
        const userId = await userOfSession(request.headers.get("authorization"), team, env.SESSION_SECRET);
        if (userId === null) return { ok: false, reason: "Sign in to this team." };
        return { ok: true, clientGroupID: userId, ctx: { userId } };
      },
    };
  }
}

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    const team = new URL(request.url).hostname;
    return env.TEAM.get(env.TEAM.idFromName(team)).fetch(request);
  },
};
// #endregion

// #region session
/** `Bearer <user>.<signature>`, where the signature is over team and user, in hex digits. */
async function userOfSession(header: string | null, team: string, secret: string): Promise<string | null> {
  const [, userId = "", hex = ""] = /^Bearer ([\w-]+)\.([0-9a-f]{64})$/.exec(header ?? "") ?? [];
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const key = await sessionKey(secret, "verify");
  const isOurs = await crypto.subtle.verify("HMAC", key, bytes, new TextEncoder().encode(`${team} ${userId}`));
  return isOurs ? userId : null;
}

const sessionKey = (secret: string, use: "sign" | "verify") =>
  crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [use]);
// #endregion

/** The session that a login would hand out. */
export async function sessionOf(userId: string, team: string, secret: string): Promise<string> {
  const key = await sessionKey(secret, "sign");
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${team} ${userId}`));
  const hex = Array.from(new Uint8Array(signature), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${userId}.${hex}`;
}
